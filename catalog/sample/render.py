"""Takes the pictures: our scene records to Mitsuba 3, path tracing, a gentle filter, and tones for the screen."""

from __future__ import annotations

from typing import Any

import mitsuba as mi
import numpy as np
import numpy.typing as npt

from catalog.sample.filters import calm, tones
from catalog.sample.materials import FINISHES, TRIMS, Look, texture
from catalog.sample.scenes import Camera, Light, Scene, Surface, Thing, axes
from catalog.sample.shapes import Array, Mesh

Pixels = npt.NDArray[np.uint8]
DEPTH = 7


def use(variant: str) -> None:
    """Choose Mitsuba's engine: "scalar_rgb" needs nothing else, "llvm_ad_rgb" needs LLVM and is faster."""
    mi.set_variant(variant)


def _bitmap(pixels: Array) -> dict[str, Any]:
    return {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(pixels, dtype=np.float32)), "raw": True}


def _bsdf(pixels: Array, look: Look | None, roughness: float) -> dict[str, Any]:
    finish = FINISHES[look.finish] if look else None
    inner: dict[str, Any] = {
        "type": "principled",
        "base_color": _bitmap(pixels),
        "roughness": roughness,
        "specular": 0.5,
    }
    if finish and finish.glass:
        return {"type": "principled", "base_color": _bitmap(pixels**0.6), "roughness": finish.roughness,
                "spec_trans": 0.94, "eta": 1.45}  # fmt: skip
    if finish:
        inner |= {"metallic": finish.metallic, "clearcoat": finish.clearcoat, "clearcoat_gloss": 0.92}
        inner |= {"sheen": finish.sheen, "sheen_tint": 0.5}
    return {"type": "twosided", "inner": inner}


def _mesh(mesh: Mesh, bsdf: Any, uvs: Array) -> Any:
    properties = mi.Properties()
    properties["bsdf"] = bsdf
    made = mi.Mesh("part", len(mesh.positions), len(mesh.faces), properties, True, True)
    values = mi.traverse(made)
    values["vertex_positions"] = np.ascontiguousarray(mesh.positions, dtype=np.float32).ravel()
    values["vertex_normals"] = np.ascontiguousarray(mesh.normals, dtype=np.float32).ravel()
    values["vertex_texcoords"] = np.ascontiguousarray(uvs, dtype=np.float32).ravel()
    values["faces"] = np.ascontiguousarray(mesh.faces, dtype=np.uint32).ravel()
    values.update()
    return made


def _uvs(mesh: Mesh, repeats: float, size: float, low: Array, high: Array) -> Array:
    if repeats == 0:
        axis = 2 if high[2] - low[2] > 0.35 * (high - low).max() else 0
        along = (mesh.positions[:, axis] - low[axis]) / (high[axis] - low[axis])
        return np.stack([np.full_like(along, 0.5), np.clip(along, 0.01, 0.99)], axis=1)
    times = np.maximum(1, np.round(np.array(mesh.extent) * repeats / size))
    return np.asarray(mesh.uvs * times)


def _thing(thing: Thing) -> list[Any]:
    points = thing.points
    low, high, size = points.min(axis=0), points.max(axis=0), thing.size
    made: dict[str, tuple[Any, float]] = {}
    found = []
    for part in thing.parts:
        if part.trim not in made:
            look = TRIMS[part.trim] if part.trim else thing.look
            pixels, repeats = texture(look, thing.seed)
            made[part.trim] = mi.load_dict(_bsdf(pixels, look, FINISHES[look.finish].roughness)), repeats
        bsdf, repeats = made[part.trim]
        found.append(_mesh(part.mesh, bsdf, _uvs(part.mesh, repeats, size, low, high)))
    return found


def _surface(surface: Surface) -> Any:
    return _mesh(surface.mesh, mi.load_dict(_bsdf(surface.texture, None, surface.roughness)), surface.mesh.uvs)


def _light(light: Light) -> dict[str, Any]:
    place = mi.ScalarTransform4f().look_at(
        origin=light.origin.tolist(), target=light.target.tolist(), up=[0.01, 0.02, 1.0]
    ) @ mi.ScalarTransform4f().scale([light.half, light.half, 1.0])
    radiance = {"type": "rgb", "value": list(light.radiance)}
    return {"type": "rectangle", "to_world": place, "emitter": {"type": "area", "radiance": radiance}}


def _sensor(camera: Camera, size: int) -> dict[str, Any]:
    place = mi.ScalarTransform4f().look_at(
        origin=camera.origin.tolist(), target=camera.target.tolist(), up=axes(camera)[1].tolist()
    )
    film = {"type": "hdrfilm", "width": size, "height": size, "rfilter": {"type": "gaussian"}, "pixel_format": "rgb",
            "component_format": "float32"}  # fmt: skip
    return {"type": "perspective", "fov": camera.fov, "to_world": place, "film": film, "near_clip": 0.1,
            "far_clip": 1e6, "sampler": {"type": "independent"}}  # fmt: skip


def take(scene: Scene, size: int, samples: int, seed: int) -> Pixels:
    """The picture of a scene as 8-bit sRGB; the same seed gives the same picture."""
    parts: dict[str, Any] = {"type": "scene", "sensor": _sensor(scene.camera, size)}
    parts["integrator"] = {"type": "aov", "aovs": "albedo:albedo,normal:sh_normal",
                           "image": {"type": "path", "max_depth": DEPTH, "hide_emitters": True}}  # fmt: skip
    parts["sky"] = {"type": "constant", "radiance": {"type": "rgb", "value": list(scene.sky)}}
    shapes = [mesh for thing in scene.things for mesh in _thing(thing)] + [_surface(s) for s in scene.stage]
    parts |= {f"shape{k}": shape for k, shape in enumerate(shapes)}
    parts |= {f"light{k}": _light(light) for k, light in enumerate(scene.lights)}
    renderer: Any = mi.render
    raw = np.array(renderer(mi.load_dict(parts), spp=samples, seed=seed), dtype=np.float64)
    return tones(calm(raw[..., :3], raw[..., 3:6], raw[..., 6:9]) * scene.exposure)
