"""Public weights that this project can read: where they are published, what belongs to them, how large, which licence.

Facts only; nothing is downloaded. Repositories, names and licences are as on the publishers' own pages. An exact size
is given only where public records agree with each other or with the number of weights, and a checksum only beside such
a size; elsewhere they are None and "not verified" is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dramatis.errors import UserError

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository. size: bytes. sha256: of its content, hexadecimal."""

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Repository:
    """What is needed of one repository. files: which of its files; empty for all."""

    name: str
    purpose: str
    licence: str
    files: tuple[RemoteFile, ...]
    revision: str = "main"
    note: str = ""

    @property
    def folder(self) -> str:
        """The folder in which its files are expected: the repository's name without its publisher's."""
        return self.name.rpartition("/")[2]

    @property
    def command(self) -> str:
        """How to download it with Hugging Face's own tool, run in the folder of all repositories."""
        names = "".join(f" {file.name}" for file in self.files)
        revision = "" if self.revision == "main" else f" --revision {self.revision}"
        return f"hf download {self.name}{names}{revision} --local-dir {self.folder}"


@dataclass(frozen=True)
class OpenModel:
    """A model made of public weights.

    weights, audio: arguments of `load_official`, within the folder of all repositories. optional: repositories that
    only some of its variants need. voices: number of speaking people in one picture that it was trained with.
    """

    name: str
    about: str
    weights: str
    audio: str | None
    repositories: tuple[Repository, ...]
    optional: tuple[Repository, ...] = ()
    voices: int = 1

    def files(self) -> Iterator[tuple[str, RemoteFile]]:
        """Every file whose name is known, with its path within the folder of all repositories."""
        yield from _files_of(self.repositories)

    def optional_files(self) -> Iterator[tuple[str, RemoteFile]]:
        """The same for the repositories that only some variants need."""
        yield from _files_of(self.optional)

    def describe(self) -> list[str]:
        """Lines to print: what to download, from where, how large and under which licence."""
        lines = [f"{self.name}: {self.about}"]
        for repository in (*self.repositories, *self.optional):
            lines += ["", f"{HUB}/{repository.name}  ({repository.licence})", f"  {repository.purpose}"]
            lines += [f"  {file.name}  {_size(file.size)}" for file in repository.files]
            lines += [f"  {repository.note}"] if repository.note else []
        known = sum(file.size or 0 for _, file in self.files())
        total = (
            f"{known / 1e9:.0f} GB without the files of unknown size." if known else "The whole size is not verified."
        )
        lines += ["", f"{total} Download into one folder (nothing is fetched for you):"]
        lines += [f"  {repository.command}" for repository in self.repositories]
        return lines + [f"  {repository.command}  # optional" for repository in self.optional]


def _files_of(repositories: Iterable[Repository]) -> Iterator[tuple[str, RemoteFile]]:
    for repository in repositories:
        for file in repository.files:
            yield f"{repository.folder}/{file.name}", file


def _size(size: int | None) -> str:
    if size is None:
        return "size not verified"
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e3:.0f} kB"


_SHARDS = (
    (9_847_223_624, "09c0170242cfe9598208724585196ca18f294928fe25971149e1d7b37b3b51d6"),
    (9_797_021_016, "9e9dd8069241f0cbfe8f269e784e915ddaa7f177272b9850ae88c494d418c181"),
    (9_797_041_744, "22af36eb620c381d57a2dd5d5e3a001bf90ba0ca32f2d5013d6ca45225b11d5f"),
    (9_692_142_864, "5c2be0421b8df4a8e7dd31cdbb6489567438ae14b812b57518e43c6f4e49a755"),
    (9_692_142_864, "0ba7f3ab69f414f23e5566e607b9385a8f67907302cbaaf86507b3a826a20dda"),
    (9_692_142_864, "d7287e9233cbf67a75fce8ef8be24232ec93d6336f148972465db00008d69e28"),
    (7_061_933_536, "d1bc30f07b162c34b90e4ee4a349f81b6e1a3a342187ea9ea153c9e4dbb07676"),
)
_WAN_INDEX = "diffusion_pytorch_model.safetensors.index.json"


def _shard(number: int) -> str:
    return f"diffusion_pytorch_model-{number:05d}-of-00007.safetensors"


WAN_480P = Repository(
    "Wan-AI/Wan2.1-I2V-14B-480P",
    "the video network (float32)",
    "Apache-2.0",
    (
        RemoteFile("config.json"),
        RemoteFile(_WAN_INDEX),
        *(RemoteFile(_shard(number), size, sha256) for number, (size, sha256) in enumerate(_SHARDS, 1)),
    ),
)
WAN_720P = Repository(
    "Wan-AI/Wan2.1-I2V-14B-720P",
    "the video network, trained on for 720p (float32)",
    "Apache-2.0",
    (RemoteFile("config.json"), RemoteFile(_WAN_INDEX), *(RemoteFile(_shard(number)) for number in range(1, 8))),
    note="The publishers of InfiniteTalk and MultiTalk name the 480P weights as their base, also for 720p.",
)
ENCODERS = Repository(
    "Wan-AI/Wan2.1-I2V-14B-480P-Diffusers",
    "text encoder (UMT5), image encoder (CLIP) and autoencoder as safetensors; the original repository pickles them",
    "Apache-2.0",
    (
        *(RemoteFile(f"tokenizer/{name}") for name in ("tokenizer_config.json", "tokenizer.json", "spiece.model")),
        RemoteFile("text_encoder/config.json"),
        RemoteFile("text_encoder/model.safetensors.index.json"),
        *(RemoteFile(f"text_encoder/model-{number:05d}-of-00005.safetensors") for number in range(1, 6)),
        RemoteFile("image_processor/preprocessor_config.json"),
        RemoteFile("image_encoder/config.json"),
        RemoteFile("image_encoder/model.safetensors"),
        RemoteFile("vae/config.json"),
        RemoteFile("vae/diffusion_pytorch_model.safetensors"),
    ),
)
SPEECH = Repository(
    "TencentGameMate/chinese-wav2vec2-base",
    "the audio encoder",
    "MIT",
    (RemoteFile("config.json"), RemoteFile("preprocessor_config.json"), RemoteFile("model.safetensors")),
    revision="refs/pr/1",
    note="Its main revision has a pickle only; the safetensors file is in its pull request 1.",
)
MULTITALK = Repository(
    "MeiGen-AI/MeiGen-MultiTalk",
    "the audio branch, for one person and for two (float32)",
    "Apache-2.0",
    (
        RemoteFile(
            "multitalk.safetensors", 9_947_889_040, "f4b48e2eb148e2407711dfc29ef411820094e5684435d5791a6d34b53fe9e1db"
        ),
    ),
)
FEW_STEPS = Repository(
    "vrgamedevgirl84/Wan14BT2VFusioniX",
    "optional, for the variant `few-steps`: a LoRA file that films in 8 steps instead of 40",
    "licence not verified; read its page before any use",
    (RemoteFile("FusionX_LoRa/Wan2.1_I2V_14B_FusionX_LoRA.safetensors"),),
    note="The publishers of InfiniteTalk name it. A mirror lists it with 371 MB.",
)
SKYREELS = Repository(
    "Skywork/SkyReels-V3-A2V-19B",
    "the video network with its audio branch, for one person",
    "skywork-license, the publisher's own terms; read them before any use",
    (),
    note="Its file names and sizes are not verified; config.json and all *.safetensors in its root are read.",
)


def _infinitetalk(kind: str, people: str) -> Repository:
    return Repository(
        "MeiGen-AI/InfiniteTalk",
        f"the audio branch for {people}",
        "Apache-2.0",
        (RemoteFile(f"{kind}/infinitetalk.safetensors"),),
    )


def _on_wan(name: str, about: str, branch: Repository, base: Repository = WAN_480P, voices: int = 1) -> OpenModel:
    audio = f"{branch.folder}/{branch.files[0].name}"
    return OpenModel(name, about, base.folder, audio, (base, branch, ENCODERS, SPEECH), (FEW_STEPS,), voices)


_ALL = (
    _on_wan("infinitetalk", "long talking videos of one person", _infinitetalk("single", "one person")),
    _on_wan("infinitetalk-multi", "long talking videos of two people", _infinitetalk("multi", "two people"), voices=2),
    _on_wan(
        "infinitetalk-720p",
        "long talking videos of one person, on Wan's 720P weights",
        _infinitetalk("single", "one person"),
        WAN_720P,
    ),
    _on_wan("multitalk", "talking videos of one person or two", MULTITALK, voices=2),
    _on_wan("multitalk-720p", "talking videos of one person or two, on Wan's 720P weights", MULTITALK, WAN_720P, 2),
    OpenModel("skyreels-v3-a2v", "talking videos of one person", SKYREELS.folder, None, (SKYREELS, ENCODERS, SPEECH)),
)
OPEN_MODELS = {model.name: model for model in _ALL}


def published_model(name: str) -> OpenModel:
    """The entry of that name. Raises UserError for an unknown one."""
    if name not in OPEN_MODELS:
        raise UserError(f"There are no public weights {name!r}; choose one of {', '.join(OPEN_MODELS)}.")
    return OPEN_MODELS[name]
