"""How the sample shop is made: whole shapes, a steady plan, cameras that aim, a filter that keeps edges."""

from __future__ import annotations

import io

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from catalog.sample.generator import __main__ as generator
from catalog.sample.generator.catalogue import plan
from catalog.sample.generator.catalogue.jobs import jobs
from catalog.sample.generator.catalogue.shopper_photos import photos, scenes, unknown
from catalog.sample.generator.catalogue.training_scenes import training_scenes
from catalog.sample.generator.rendering.denoise import calm, tones
from catalog.sample.generator.rendering.scenes import Scene, Thing, direction, fitted, product_thing, project
from catalog.sample.generator.rendering.silhouettes import silhouettes
from catalog.sample.generator.shapes.families import FAMILIES
from catalog.sample.generator.shapes.materials import FINISHES, TRIMS, texture
from catalog.sample.generator.shapes.meshes import box, lathe
from catalog.sample.generator.shapes.out_of_catalogue import STRANGERS
from catalog.sample.generator.shapes.tableware import Part


def test_the_plan_is_the_same_each_time():
    first = plan.items()
    plan.items.cache_clear()
    assert plan.items() == first
    assert len({item.id for item in first}) == len(first)
    planned = [*photos(), *unknown(), *scenes()]
    assert len({photo.seed for photo in planned}) == len(planned)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.key)
def test_shapes_are_whole(family):
    for style in range(3):
        look = plan.Look(family.finishes[0], FINISHES[family.finishes[0]].colours[0])
        for part in product_thing(family.key, style, 5, look, 1).parts:
            mesh = part.mesh
            assert np.isfinite(mesh.positions).all() and int(mesh.faces.max()) < len(mesh.positions)
            assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)
            assert part.trim in {"", *TRIMS}


def test_strangers_come_in_looks_that_exist():
    for _, looks in STRANGERS.values():
        for look in looks:
            pixels, _repeats = texture(look, 1)
            assert pixels.shape[2] == 3 and pixels.min() >= 0 and pixels.max() <= 1


def test_a_cylinder_faces_outwards():
    side = lathe([(2.0, 0.0), (2.0, 5.0)], segments=16)
    outward = side.positions * [1, 1, 0]
    assert (np.sum(outward * side.normals, axis=1) > 0).all()


def test_a_fitted_camera_sees_the_whole_thing_in_the_middle():
    points = box(10, 20, 30).positions
    seen = project(points, fitted(points, direction(30, 20), 25, 0.7))
    low, high = seen.min(axis=0), seen.max(axis=0)
    assert np.allclose((low + high) / 2, 0.5, atol=0.01)
    assert (high - low).max() == pytest.approx(0.7, abs=0.01)


def test_the_filter_calms_noise_and_keeps_edges():
    albedo = np.full((24, 24, 3), 0.2)
    albedo[:, 12:] = 0.8
    normal = np.zeros((24, 24, 3))
    noisy = albedo * np.random.default_rng(1).normal(1, 0.08, (24, 24, 1))
    smooth = calm(noisy, albedo, normal)
    assert smooth[:, 3:9].std() < 0.6 * noisy[:, 3:9].std()
    assert smooth[:, 11].mean() == pytest.approx(0.2, rel=0.05) and smooth[:, 12].mean() == pytest.approx(0.8, rel=0.05)


def test_tones_rise_and_never_wrap():
    ramp = tones(np.repeat(np.linspace(0, 8, 64)[:, None, None], 3, axis=2))[:, 0, 0].astype(int)
    assert (np.diff(ramp) >= 0).all() and ramp[0] == 0 and ramp[-1] == 255


def test_a_stopped_run_goes_on_and_an_unknown_name_is_reported(tmp_path, monkeypatch):
    taken, written = [], []
    monkeypatch.setattr(generator, "_choose", lambda engine: None)
    monkeypatch.setattr(generator, "write_tables", written.append)  # what it writes is in test_sample_shop.py
    monkeypatch.setattr(generator.Job, "take", lambda job: taken.append(job.path) or b"picture")
    arguments = ["--out", str(tmp_path), "--only", "mug-1a,p003", "--missing"]
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mug-1a-1.jpg").write_bytes(b"there already")
    assert CliRunner().invoke(generator.main, arguments).exit_code == 0
    assert taken == ["images/mug-1a-2.jpg", "photos/p003.jpg"] and written == [tmp_path]
    assert (tmp_path / "images" / "mug-1a-1.jpg").read_bytes() == b"there already"
    answer = CliRunner().invoke(generator.main, ["--only", "teapto"])
    assert answer.exit_code == 1 and "Nothing is called teapto" in answer.output


def test_a_product_can_be_rendered():
    pytest.importorskip("mitsuba", reason="rendering needs the extra: pip install '.[sample]'")
    generator._choose("scalar_rgb")
    job = next(jobs())
    first, second = job.take(24, 0.1), job.take(24, 0.1)
    assert generator.difference(first, second) < generator.TOLERANCE
    assert np.asarray(Image.open(io.BytesIO(first))).std() > 5


def test_training_scenes_show_training_products_alone():
    planned = list(training_scenes(150))
    assert all(plan.split(item) == plan.TRAIN for photo in planned for item in photo.shown)
    assert {len(photo.shown) for photo in planned} == {1, 2, 3}
    known = {photo.seed for photo in (*photos(), *unknown(), *scenes())}
    assert len({photo.seed for photo in planned} | known) == len(planned) + len(known)
    assert list(training_scenes(3)) == planned[:3]


def test_a_silhouette_fills_its_box_and_what_is_in_front_hides_it():
    look = plan.Look("glazed", "red")
    behind = Thing((Part(box(10, 10, 10)),), look)
    front = Thing((Part(box(4, 4, 4).moved(x=3, y=-20)),), look)
    camera = fitted(behind.points, direction(0, 0), 25, 0.8)
    alone = silhouettes(Scene((behind,), (), (), (0, 0, 0), camera), 1, 50)[0]
    rows, columns = np.nonzero(alone > 127)
    seen = project(behind.points, camera) * 50
    assert (columns.min(), columns.max() + 1) == pytest.approx((seen[:, 0].min(), seen[:, 0].max()), abs=1)
    assert (rows.min(), rows.max() + 1) == pytest.approx((seen[:, 1].min(), seen[:, 1].max()), abs=1)
    both = silhouettes(Scene((behind, front), (), (), (0, 0, 0), camera), 2, 50)
    assert both[1].any() and (both[0] > 127).sum() < (alone > 127).sum()
    assert not ((both[0] > 127) & (both[1] > 127)).any()
