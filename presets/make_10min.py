"""Writes animatic-10min.longtake: 120 shots, 14,400 frames at 24 fps after all transitions.

    python3 presets/make_10min.py

The graph is animatic.longtake's; only the storyboard and the file name differ. A year in one valley:
twelve months of ten shots. Needs nothing but Python.
"""

import json
import pathlib

FPS = 24
FRAMES = 14_400
TITLE = "A Year in the Valley · 谷の一年"

PALETTES = {"dusk": 0, "dawn": 1, "night": 2, "storm": 3, "noon": 4, "forest": 5, "ember": 6, "violet": 7}
SCENES = {"glow": 0, "hills": 1, "lake": 2, "town": 3, "stars": 4, "rain": 5, "tower": 6}

# month, day palette, weather, work, animal, feast: English and Japanese of each
MONTHS = [
    ("January", "一月", "storm", "snow on every roof", "屋根という屋根の雪", "mending nets by the stove", "炉端で網をつくろう", "a fox", "狐", "the first sunrise", "初日の出"),
    ("February", "二月", "night", "ice that sings at night", "夜に鳴る氷", "splitting firewood", "薪を割る", "two crows", "二羽の烏", "beans thrown from the door", "豆まき"),
    ("March", "三月", "dawn", "meltwater in the lanes", "小道の雪解け水", "sowing under glass", "苗床に種をまく", "a skylark", "雲雀", "dolls in the window", "雛人形"),
    ("April", "四月", "dusk", "blossom on the wind", "風に乗る花びら", "opening the sluices", "水門を開ける", "swallows", "燕", "lanterns under the cherry trees", "桜の下の提灯"),
    ("May", "五月", "noon", "air as clear as glass", "硝子のような空気", "planting the rice", "田植え", "a heron", "鷺", "carp streamers on a pole", "鯉のぼり"),
    ("June", "六月", "forest", "three weeks of rain", "三週間の雨", "clearing the channels", "水路をさらう", "tree frogs", "雨蛙", "fireflies over the ditch", "溝の上の蛍"),
    ("July", "七月", "noon", "white heat at noon", "真昼の白い暑さ", "turning the hay", "干し草を返す", "a grass snake", "縞蛇", "wishes tied to bamboo", "笹に結んだ願い"),
    ("August", "八月", "ember", "thunder beyond the ridge", "尾根の向こうの雷", "watching the water gate", "水番をする", "dragonflies", "蜻蛉", "fires for the dead", "送り火"),
    ("September", "九月", "storm", "the tail of a typhoon", "台風の名残", "tying up the ears", "稲架を組む", "wild boar", "猪", "dumplings for the moon", "月見団子"),
    ("October", "十月", "ember", "a hillside on fire with leaves", "燃えるような山の紅葉", "bringing in the harvest", "稲を刈り入れる", "a stag", "牡鹿", "the shrine's drums", "社の太鼓"),
    ("November", "十一月", "violet", "fog until noon", "昼までの霧", "drying persimmons", "柿を干す", "geese", "雁", "a wedding in the rain", "雨の中の婚礼"),
    ("December", "十二月", "night", "the first snow, at four o'clock", "四時に降る初雪", "beating rice for new year", "餅をつく", "a sleeping cat", "眠る猫", "the bell, a hundred and eight times", "百八つの鐘"),
]

# title, description, caption (English and Japanese), scene, palette (None: the month's), camera
BEATS = [
    ("{month}\n{month_ja}", "", "{weather_cap}  ·  {weather_ja}", "hills", None, "zoom-in"),
    ("The Valley\n谷", "Wide shot from the pass. The whole valley lies below us: {weather}. Smoke stands over five houses.", "Nothing has changed. Everything has.\n何も変わらず、すべてが変わる。", "hills", None, "pan-right"),
    ("At the Lake\n湖のほとり", "The lake at first light, {weather}. A boy skips one stone and counts the rings.", "“Seven! Did you see?”\n「七つ！ 見た？」", "lake", "dawn", "pan-left"),
    ("Work\n仕事", "Hands first, then faces: {work}. Three generations, one rhythm, little talk.", "{work_cap}.\n{work_ja}。", "glow", None, "push-in-right"),
    ("A Visitor\n来訪者", "Long lens, dead quiet. At the edge of the field: {animal}. One look at us, and the field is empty.", "“Don't move.”\n「動かないで」", "hills", "forest", "zoom-in"),
    ("Rain on the Road\n雨の道", "The last bus climbs the hairpins in the rain, one passenger inside, her forehead against the window.", "She said she would be back by {month}.\n{month_ja}には戻る、と彼女は言った。", "rain", "storm", "pan-up"),
    ("The Town Below\n麓の町", "Evening. The windows of the town come on one by one while the mountain goes dark behind them.", "Forty minutes by bus; a lifetime on foot.\nバスで四十分、歩けば一生。", "town", "violet", "pan-right"),
    ("The Feast\n祭り", "Warm light, many faces: {feast}. The camera is a guest and stays at the edge.", "{feast_cap}.\n{feast_ja}。", "glow", "ember", "push-in-left"),
    ("Night Watch\n夜番", "The fire tower on its hill, a lamp in the top window; somebody is always awake up there.", "“All quiet.”\n「異常なし」", "tower", "night", "zoom-out"),
    ("Stars\n星", "Straight up. The ridge is a black line at the bottom of the picture; the sky turns slowly.", "{month} is over.\n{month_ja}が終わる。", "stars", "night", "pan-down"),
]

TRANSITIONS = [("dissolve", 1.0), ("cut", 0), ("dissolve", 0.5), ("cut", 0), ("cut", 0), ("dissolve", 0.5), ("cut", 0), ("dissolve", 0.5), ("dissolve", 1.0), ("fade", 1.0)]
SECONDS = [4.0, 6.0, 5.0, 5.0, 4.5, 5.5, 5.0, 5.0, 5.5, 6.0]


def capital(text):
    return text[0].upper() + text[1:]


def shot(number):
    month, month_ja, day, weather, weather_ja, work, work_ja, animal, _, feast, feast_ja = MONTHS[number // 10]
    title, prompt, caption, scene, palette, camera = BEATS[number % 10]
    words = {
        "month": month, "month_ja": month_ja, "weather": weather, "weather_ja": weather_ja,
        "weather_cap": capital(weather), "work": work, "work_cap": capital(work), "work_ja": work_ja,
        "animal": animal, "feast": feast, "feast_cap": capital(feast), "feast_ja": feast_ja,
    }
    kind, length = TRANSITIONS[number % 10]
    # Seeds of one scene and palette are 56 apart: each month has its own ridges.
    seed = SCENES[scene] * 8 + PALETTES[palette or day] + 56 * (number + 1)
    return {
        "id": f"{number + 1:03}", "title": title.format(**words), "prompt": prompt.format(**words),
        "caption": caption.format(**words), "seed": seed, "seconds": SECONDS[number % 10],
        "camera": camera, "transition": kind, "transition_seconds": length,
    }


def main():
    shots = [shot(number) for number in range(120)]
    shots[-1].update(transition="cut", transition_seconds=0)
    frames = [round(it["seconds"] * FPS) for it in shots]
    shared = sum(round(it["transition_seconds"] * FPS) for it in shots)
    missing = FRAMES - (sum(frames) - shared)
    for number in range(abs(missing)):
        frames[number % 120] += 1 if missing > 0 else -1
    for it, count in zip(shots, frames):
        it["seconds"] = count / FPS
        for key in ("prompt", "transition_seconds"):
            if not it[key]:
                del it[key]
    assert sum(round(it["seconds"] * FPS) for it in shots) - shared == FRAMES

    folder = pathlib.Path(__file__).parent
    project = json.loads((folder / "animatic.longtake").read_text())
    project["title"] = TITLE
    board = project["nodes"]["board"]["inputs"]
    board["title"] = TITLE
    board["shots"] = shots
    project["nodes"]["save"]["inputs"]["filename_prefix"] = "animatic/a-year-in-the-valley"
    text = json.dumps(project, ensure_ascii=False, indent=2)  # the program reads any layout
    (folder / "animatic-10min.longtake").write_text(text + "\n")


main()
