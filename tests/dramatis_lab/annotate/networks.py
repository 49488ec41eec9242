"""Tiny networks in the layouts of the real files: ONNX graphs with constant outputs, and SAM 2 with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_constant(path: Path, side: tuple[int, int], outputs: dict[str, np.ndarray], name: str = "images") -> Path:
    """A network that takes (1, 3, height, width) and gives what it was told, whatever the picture shows."""
    # Something must read the picture: its mean times nothing is added to every output.
    nodes = [
        helper.make_node("ReduceMean", [name], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
    ]
    constants = [numpy_helper.from_array(np.zeros((), np.float32), "nothing")]
    for key, value in outputs.items():
        constants.append(numpy_helper.from_array(value.astype(np.float32), f"{key}_value"))
        nodes.append(helper.make_node("Add", [f"{key}_value", "zero"], [key]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, *side])],
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, value.shape) for key, value in outputs.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def write_mean(path: Path, side: tuple[int, int]) -> Path:
    """YOLO8's layout with one box, whose middle is the mean red and the mean blue of the input."""
    cells = sum((side[0] // stride) * (side[1] // stride) for stride in (8, 16, 32))
    start = np.zeros((1, 5, cells), np.float32)
    start[0, 2:4, 0], start[0, 4, 0] = 10, 0.9
    pick = np.zeros((1, 5, cells, 3), np.float32)
    pick[0, 0, 0, 0] = pick[0, 1, 0, 2] = 1
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["images"], ["colours"], axes=[0, 2, 3], keepdims=0),
            helper.make_node("MatMul", ["pick", "colours"], ["picked"]),
            helper.make_node("Add", ["picked", "start"], ["output0"]),
        ],
        "mean",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *side])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, start.shape)],
        [numpy_helper.from_array(pick, "pick"), numpy_helper.from_array(start, "start")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def write_red(path: Path) -> Path:
    """A matting network of any size whose answer is the red of the picture."""
    nodes = [
        helper.make_node("Slice", ["input", "zero", "one", "axis"], ["red"]),
        helper.make_node("Add", ["red", "shift"], ["raised"]),
        helper.make_node("Mul", ["raised", "half"], ["output"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([value], np.int64), name)
        for name, value in (("zero", 0), ("one", 1), ("axis", 1))
    ]
    constants += [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in (("shift", 1.0), ("half", 0.5))]
    sides: list[str | int | None] = ["batch", 3, "height", "width"]
    graph = helper.make_graph(
        nodes,
        "red",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 1, "height", "width"])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def write_sam2(folder: Path) -> Path:
    """SAM 2 for videos that sees 64x64 pixels, in the folder layout of its real weights."""
    import torch  # not above: tests of ONNX files need none of it
    from transformers import Sam2VideoConfig, Sam2VideoModel

    torch.manual_seed(0)
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "num_attention_heads": 1,
        "image_size": [64, 64],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 1, 1],
        "window_size_per_stage": [4, 4, 4, 2],
        "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [4, 4],
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 128,
    }
    config = Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 128, "image_size": 64, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 128,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
        image_size=64,
        num_maskmem=3,
        max_object_pointers_in_encoder=4,
        memory_attention_hidden_size=128,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_rope_feat_sizes=[4, 4],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,  # the attention that reads it takes no other
        mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=32,
    )
    Sam2VideoModel(config).save_pretrained(folder)
    return folder
