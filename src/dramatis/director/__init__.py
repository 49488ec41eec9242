"""The director: observations and a few words of direction in, a storyline of shots out (report, section 3.2)."""

from dramatis.director.director import LLMExperts, check_prompt, direct

__all__ = ["LLMExperts", "check_prompt", "direct"]
