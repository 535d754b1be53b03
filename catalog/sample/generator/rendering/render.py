"""Render the pictures: scene records to Mitsuba 3, path tracing, denoising, tone mapping."""

from __future__ import annotations

from typing import Any

import mitsuba as mi
import numpy as np
import numpy.typing as npt

from catalog.sample.generator.rendering.denoise import calm, tones
from catalog.sample.generator.rendering.scenes import Camera, Light, Scene, Surface, Thing, axes
from catalog.sample.generator.shapes.materials import FINISHES, TRIMS, Look, texture
from catalog.sample.generator.shapes.meshes import Array, Mesh

Pixels = npt.NDArray[np.uint8]
# Light that passes through glass needs more turns: into and out of each of two walls.
DEPTH, GLASS_DEPTH = 5, 11


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
        return {"type": "principled", "base_color": _bitmap(pixels**0.5), "roughness": finish.roughness,
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


def _wood_uvs(mesh: Mesh, size: float) -> Array:
    """Wood is cut from a block: its grain runs along a part's longest side, through the part, not around it."""
    short, middle, long = np.argsort(np.ptp(mesh.positions, axis=0), kind="stable")
    p = mesh.positions
    across = p[:, middle] + 0.37 * p[:, short]
    return np.asarray(np.stack([across, p[:, long] + 0.6 * p[:, short]], axis=1) / size)


def _facing_uvs(mesh: Mesh) -> Array:
    """One tile over the whole part as seen from the front (-y), so that a reflection runs straight across a pane."""
    p = mesh.positions[:, [0, 2]]
    low, high = p.min(axis=0), p.max(axis=0)
    return np.asarray(0.01 + 0.98 * (p - low) / (high - low))


def _thing(thing: Thing) -> list[Any]:
    own = np.vstack([part.mesh.positions for part in thing.parts if not part.trim])
    low, high, size = own.min(axis=0), own.max(axis=0), thing.size
    made: dict[str, tuple[Any, float, str]] = {}
    found = []
    for part in thing.parts:
        if part.trim not in made:
            look = TRIMS[part.trim] if part.trim else thing.look
            pixels, repeats = texture(look, thing.seed)
            finish = FINISHES[look.finish]
            made[part.trim] = mi.load_dict(_bsdf(pixels, look, finish.roughness)), repeats, finish.grain
        bsdf, repeats, grain = made[part.trim]
        if grain == "wood":
            uvs = _wood_uvs(part.mesh, size)
        elif grain == "reflection":
            uvs = _facing_uvs(part.mesh)
        else:
            uvs = _uvs(part.mesh, repeats, size, low, high)
        found.append(_mesh(part.mesh, bsdf, uvs))
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
    film = {"type": "hdrfilm", "width": size, "height": size, "rfilter": {"type": "box"}, "pixel_format": "rgb",
            "component_format": "float32"}  # fmt: skip
    return {"type": "perspective", "fov": camera.fov, "to_world": place, "film": film, "near_clip": 0.1,
            "far_clip": 1e6, "sampler": {"type": "multijitter"}}  # fmt: skip


def _guides(scene: Any, size: int) -> Array:
    """What the filter goes by: each pixel's surface colour and direction (six channels), seen through four points."""
    if str(mi.variant()).startswith("scalar"):
        flat: Any = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
        return np.array(flat.render(scene, scene.sensors()[0], 0, 4), dtype=np.float64)[..., :6]
    import drjit as dr

    index = dr.arange(mi.UInt32, size * size)
    x, y = mi.Float(index % size), mi.Float(index // size)
    found = np.zeros((size * size, 6))
    for dx, dy in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        film = mi.Point2f((x + dx) / size, (y + dy) / size)
        ray, _ = scene.sensors()[0].sample_ray_differential(0.0, 0.5, film, mi.Point2f(0.5))
        hit = scene.ray_intersect(ray)
        colour = hit.bsdf(ray).eval_diffuse_reflectance(hit, hit.is_valid())
        found[:, :3] += np.array(colour).reshape(3, -1).T / 4
        found[:, 3:] += np.array(dr.select(hit.is_valid(), hit.sh_frame.n, 0)).reshape(3, -1).T / 4
    return found.reshape(size, size, 6)


def take(scene: Scene, size: int, samples: int, seed: int) -> Pixels:
    """The picture of a scene as 8-bit sRGB; the same seed gives the same picture."""
    parts: dict[str, Any] = {"type": "scene", "sensor": _sensor(scene.camera, size)}
    glassy = any(FINISHES[thing.look.finish].glass for thing in scene.things)
    depth = GLASS_DEPTH if glassy else DEPTH
    parts["integrator"] = {"type": "path", "max_depth": depth, "hide_emitters": True}
    parts["sky"] = {"type": "constant", "radiance": {"type": "rgb", "value": list(scene.sky)}}
    shapes = [mesh for thing in scene.things for mesh in _thing(thing)] + [_surface(s) for s in scene.stage]
    parts |= {f"shape{k}": shape for k, shape in enumerate(shapes)}
    parts |= {f"light{k}": _light(light) for k, light in enumerate(scene.lights)}
    renderer: Any = mi.render
    made: Any = mi.load_dict(parts)
    light = np.array(renderer(made, spp=samples, seed=seed), dtype=np.float64)
    guides = np.nan_to_num(_guides(made, size))
    return tones(calm(np.nan_to_num(light), guides[..., :3], guides[..., 3:]) * scene.exposure)
