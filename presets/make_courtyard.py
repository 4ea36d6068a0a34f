#!/usr/bin/env python3
"""Draws input/courtyard.jpg and its exact depth map input/courtyard-depth.png.

A small courtyard at late afternoon: a well, arches, steps, a tree, two lanterns. Everything is a signed
distance field, marched per pixel with numpy (under a minute of one core). The depth map is 16 bits of disparity, white
near: 1/distance from 1/FAR (black) to 1/NEAR (white), as PointCloudGuide's `disparity` reads it.

Needs numpy and pillow: python3 presets/make_courtyard.py
"""

import pathlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT, FOV = 832, 480, 55.0
NEAR, FAR = 3.5, 24.0  # metres, also the preset's near and far
EXPOSURE = .36
LEVELS = 4096  # steps of disparity kept: more of them compress badly
EYE = np.array([0.35, 1.75, -6.2], np.float32)
SUN = np.array([-0.55, 0.62, -0.38])
SUN = (SUN / np.linalg.norm(SUN)).astype(np.float32)

# Material numbers: floor, wall, well stone, wood, leaves, lantern, pot, water, roof tile.
FLOOR, WALL, STONE, WOOD, LEAF, LAMP, POT, WATER, TILE = range(9)
COLOURS = np.array([
    [0.62, 0.53, 0.43], [0.86, 0.71, 0.55], [0.60, 0.58, 0.56], [0.36, 0.23, 0.14], [0.28, 0.45, 0.20],
    [1.00, 0.78, 0.42], [0.70, 0.33, 0.20], [0.16, 0.36, 0.42], [0.66, 0.30, 0.20],
])


def box(p, centre, half, rounding=0.02):
    q = np.abs(p - np.array(centre, np.float32)) - np.array(half, np.float32) + rounding
    return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0) - rounding


def ball(p, centre, radius):
    return np.linalg.norm(p - np.array(centre, np.float32), axis=-1) - radius


def upright(p, centre, radius, half):
    """A standing cylinder."""
    q = p - np.array(centre, np.float32)
    d = np.stack([np.hypot(q[..., 0], q[..., 2]) - radius, np.abs(q[..., 1]) - half], -1)
    return np.minimum(d.max(-1), 0) + np.linalg.norm(np.maximum(d, 0), axis=-1)


def arch(p, x, half, height):
    """A doorway through z: a box with a round top."""
    q = np.stack([p[..., 0] - x, p[..., 1]], -1)
    below = np.maximum(np.abs(q[..., 0]) - half, q[..., 1] - height)
    return np.minimum(below, np.hypot(q[..., 0], q[..., 1] - height) - half)


def leaves(p):
    d = np.full(p.shape[:-1], 1e9)
    for x, y, z, r in [(3.0, 3.5, 2.6, .95), (2.3, 3.2, 2.2, .7), (3.6, 3.0, 2.2, .75), (2.8, 2.8, 1.8, .6), (3.3, 4.1, 3.0, .7)]:
        d = np.minimum(d, ball(p, (x, y, z), r))
    bump = np.sin(9 * p[..., 0]) * np.sin(11 * p[..., 1] + 1) * np.sin(10 * p[..., 2] + 2)
    return d + 0.11 * bump


def parts(p):
    """Distance to each thing, and what it is made of."""
    return [
        (p[..., 1] + 0.0, FLOOR),
        (np.maximum(box(p, (0, 1.6, 6.2), (7, 1.6, .35)), -np.minimum.reduce([arch(p, x, .85, 1.7) for x in (-3.6, -1.2, 1.2, 3.6)])), WALL),
        (box(p, (0, .75, 13), (12, .75, .2)), WALL),
        (box(p, (-5.2, 1.6, 1.5), (.3, 1.6, 5.2)), WALL),
        (box(p, (5.6, 1.2, 1.5), (.3, 1.2, 5.2)), WALL),
        (box(p, (0, 3.27, 6.1), (7, .09, .6)), TILE),
        (box(p, (-5.1, 3.25, 1.5), (.5, .08, 5.2)), TILE),
        (np.maximum(upright(p, (-.3, .42, .7), .82, .42), -upright(p, (-.3, .6, .7), .58, .5)), STONE),
        (upright(p, (-.3, .1, .7), .6, .12), WATER),
        (box(p, (-1.02, 1.15, .7), (.06, 1.15, .06)), WOOD),
        (box(p, (.42, 1.15, .7), (.06, 1.15, .06)), WOOD),
        (box(p, (-.3, 2.28, .7), (.86, .07, .08)), WOOD),
        (upright(p, (2.9, 1.4, 2.4), .16, 1.4), WOOD),
        (leaves(p) * 0.7, LEAF),
        (box(p, (-3.9, .16, 2.6), (1.0, .16, 1.4)), STONE),
        (box(p, (-4.2, .48, 2.6), (.7, .16, 1.4)), STONE),
        (box(p, (-4.5, .80, 2.6), (.4, .16, 1.4)), STONE),
        (np.maximum(upright(p, (1.9, .30, -1.9), .36, .30), -upright(p, (1.9, .5, -1.9), .27, .3)), POT),
        (ball(p * np.array([1, .8, 1], np.float32), (1.9, .66, -1.9), .36) * .8 + .05 * np.sin(15 * p[..., 0]) * np.sin(14 * p[..., 1]) * np.sin(16 * p[..., 2]), LEAF),
        (upright(p, (-2.45, .24, -1.4), .28, .24), POT),
        (ball(p, (-2.45, .70, -1.4), .30) + .04 * np.sin(17 * p[..., 0]) * np.sin(15 * p[..., 1]) * np.sin(16 * p[..., 2]), LEAF),
        (box(p, (-2.4, 2.3, 5.72), (.12, .18, .1)), LAMP),
        (box(p, (2.4, 2.3, 5.72), (.12, .18, .1)), LAMP),
    ]


def scene(p):
    """Distance to the nearest thing."""
    nearest = np.full(p.shape[:-1], 1e9, np.float32)
    for d, _ in parts(p):
        np.minimum(nearest, d, out=nearest)
    return nearest


def made_of(p):
    """Material of the nearest thing."""
    things = parts(p)
    return np.array([m for _, m in things])[np.argmin(np.stack([d for d, _ in things], -1), -1)]


def march(origin, way, steps, far):
    t = np.zeros(way.shape[:-1], np.float32)
    alive = np.ones(t.shape, bool)
    for _ in range(steps):
        d = scene(origin[alive] + way[alive] * t[alive][..., None])
        t[alive] += d * 0.9
        moving = np.zeros_like(alive)
        moving[alive] = (np.abs(d) > 0.0012) & (t[alive] < far)
        alive = moving
        if not alive.any():
            break
    return t


def soft_shadow(point):
    light, t = np.ones(point.shape[:-1]), np.full(point.shape[:-1], .03, np.float32)
    for _ in range(28):
        d = scene(point + SUN * t[..., None])
        light = np.minimum(light, np.clip(9 * d / t, 0, 1))
        t += np.clip(d, .03, .8)
    return light * light * (3 - 2 * light)


def normal(point):
    e = 0.004
    axes = [(np.eye(3)[i] * e).astype(np.float32) for i in range(3)]
    n = np.stack([scene(point + a) - scene(point - a) for a in axes], -1)
    return n / (np.linalg.norm(n, axis=-1, keepdims=True) + 1e-9)


def grain(p, material):
    """Paving, brick courses and a little unevenness, from sines and hashes: 0.75..1.15."""
    def hashed(a, b):
        return np.modf(np.abs(np.sin(a * 127.1 + b * 311.7) * 43758.5453))[0]
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    rows = np.floor(z / .62)
    u, v = np.modf(np.abs((x + 50 + .31 * (rows % 2)) / .62))[0], np.modf(np.abs((z + 50) / .62))[0]
    joint = np.minimum.reduce([u, 1 - u, v, 1 - v])
    paving = np.where(joint < .035, .62, .88 + .22 * hashed(np.floor((x + 50 + .31 * (rows % 2)) / .62), rows))
    side = x + z
    course = np.floor(y / .27)
    bu, bv = np.modf(np.abs((side + 50 + .3 * (course % 2)) / .6))[0], np.modf(np.abs(y / .27))[0]
    seam = np.minimum.reduce([bu * .6, (1 - bu) * .6, bv * .27, (1 - bv) * .27])
    brick = np.where(seam < .012, .86, .93 + .12 * hashed(np.floor((side + 50 + .3 * (course % 2)) / .6), course))
    leaf = .8 + .4 * (.5 + .5 * np.sin(40 * x) * np.sin(37 * y) * np.sin(43 * z))
    tile = .8 + .25 * (.5 + .5 * np.sin(28 * side))
    return np.select([material == FLOOR, (material == WALL) | (material == STONE), material == LEAF, material == TILE],
                     [paving, brick, leaf, tile], 1.0)


def shade(point, way, material):
    n = normal(point)
    facing = np.clip((n * SUN).sum(-1), 0, 1) * soft_shadow(point + n * .02)
    ambient = np.ones(facing.shape)
    for k in (1, 2, 3, 4):
        d = scene(point + n * .16 * k)
        ambient -= np.clip(.16 * k - d, 0, 1) / (1.35 ** k) * .55
    ambient = np.clip(ambient, .18, 1)
    base = COLOURS[material] * grain(point, material)[..., None]
    sky = np.array([.40, .50, .68]) * (.55 + .45 * n[..., 1:2])
    bounce = np.array([.34, .22, .13]) * (.5 - .5 * n[..., 1:2])
    colour = base * (facing[..., None] * np.array([2.35, 1.75, 1.10]) + ambient[..., None] * (sky + bounce))
    for x in (-2.4, 2.4):  # the lanterns' light
        to = np.array([x, 2.3, 5.45]) - point
        r2 = (to * to).sum(-1)
        fall = np.clip((n * to).sum(-1) / np.sqrt(r2), 0, 1) / (.5 + r2)
        colour += base * (fall * .9)[..., None] * np.array([1.6, .95, .4])
    colour[material == LAMP] = [2.6, 1.9, 1.0]
    haze = 1 - np.exp(-np.linalg.norm(point - EYE, axis=-1) * .009)
    return colour + (np.array([.95, .72, .52]) - colour) * haze[..., None]


def sky(way):
    up = np.clip(way[..., 1] * 1.9, 0, 1)[..., None]
    colour = np.array([1.0, .80, .58]) * (1 - up) + np.array([.36, .56, .86]) * up
    cloud = np.sin(way[..., 0] * 9 + 2 * np.sin(way[..., 1] * 14)) * np.sin(way[..., 1] * 31 + way[..., 0] * 4)
    return colour + np.clip(cloud - .35, 0, 1)[..., None] * .35 * np.array([1, .9, .8])


def rays(rows, shift):
    focal = WIDTH / 2 / np.tan(np.radians(FOV / 2))
    x, y = np.meshgrid(np.arange(WIDTH) + .5 + shift - WIDTH / 2, HEIGHT / 2 - rows - .5 + shift)
    tilt = np.radians(-5.0)  # the camera looks down a little, as the path's `elevation` says
    flat = np.stack([x / focal, y / focal, np.ones_like(x)], -1)
    c, s = np.cos(tilt), np.sin(tilt)
    turn = np.stack([flat[..., 0], flat[..., 1] * c + flat[..., 2] * s, flat[..., 2] * c - flat[..., 1] * s], -1)
    length = np.linalg.norm(turn, axis=-1, keepdims=True)
    return (turn / length).astype(np.float32), length[..., 0].astype(np.float32)


def draw(rows, shift):
    """Colour and distance along the view axis of some rows, rays moved by a part of a pixel."""
    way, length = rays(rows, shift)
    t = march(np.broadcast_to(EYE, way.shape), way, 110, 40.0)
    point = EYE + way * t[..., None]
    material = made_of(point)
    hit = t < 39.0
    colour = sky(way)
    colour[hit] = shade(point[hit], way[hit], material[hit])
    return colour, np.where(hit, t / length, 1e6)


def main():
    here = pathlib.Path(__file__).parent / "input"
    here.mkdir(exist_ok=True)
    bands = np.array_split(np.arange(HEIGHT), HEIGHT // 12)
    # Two samples a pixel; the first one's depth is the map.
    first, second = ([draw(rows, shift) for rows in bands] for shift in (0.0, .5))
    colour = sum(np.clip(np.concatenate([it[0] for it in samples]), 0, 4) for samples in (first, second)) / 2
    depth = np.concatenate([it[1] for it in first])
    colour = colour * np.where(depth > 1e5, 2 * EXPOSURE, EXPOSURE)[..., None]  # a bright sky
    grey = colour.mean(-1, keepdims=True)
    colour = np.clip(grey + (colour - grey) * 1.25, 0, None)
    mapped = (colour * (2.51 * colour + .03)) / (colour * (2.43 * colour + .59) + .14)  # Narkowicz's ACES fit
    mapped = np.clip(mapped, 0, 1) ** (1 / 2.2)
    Image.fromarray((mapped * 255 + .5).astype(np.uint8)).save(here / "courtyard.jpg", quality=82, optimize=True, progressive=True)
    share = (1 / np.clip(depth, NEAR, FAR) - 1 / FAR) / (1 / NEAR - 1 / FAR)
    steps = np.round(share * (LEVELS - 1)) / (LEVELS - 1)
    Image.fromarray((steps * 65535 + .5).astype(np.uint16)).save(here / "courtyard-depth.png", optimize=True)
    print("nearest", depth.min(), "median", np.median(depth))


if __name__ == "__main__":
    main()
