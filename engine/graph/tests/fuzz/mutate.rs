//! Ways to damage a file. The same seed gives the same damage.

use serde_json::{Map, Value, json};

/// xorshift64*.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not roll alike.
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `bound`; 0 for 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Lengths that a careless reader trusts.
const LENGTHS: [[u8; 8]; 8] = [
    [0; 8],
    [0xff; 8],
    [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0xff, 0xff, 0xff, 0xf8, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 0, 0, 1],
    [0, 0, 0, 7, 0x40, 0, 0, 0],
    [0x80, 0, 0, 0, 0, 0, 0, 0],
    [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
];

/// Names of parts, beside which lengths stand.
const PARTS: [&[u8]; 20] = [
    b"tEXt",
    b"zTXt",
    b"iTXt",
    b"IDAT",
    b"EXIF",
    b"VP8X",
    b"RIFF",
    b"moov",
    b"udta",
    b"meta",
    b"ilst",
    b"keys",
    b"data",
    b"mdta",
    b"mdat",
    b"\xa9cmt",
    b"\x18\x53\x80\x67",
    b"\x12\x54\xC3\x67",
    b"\x67\xC8",
    b"\x44\x87",
];

const WORDS: [&[u8]; 14] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"NaN",
    b"1e999",
    b"99999999999999999999",
    b"null",
    b"\\ud800",
    b"\0\0\0\0",
    b"-1",
];

/// Damages bytes in one to four places; `other` is spliced in now and then.
pub fn bytes(dice: &mut Dice, file: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=dice.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = dice.below(bytes.len());
        let end = (at + 1 + dice.below(24)).min(bytes.len());
        match dice.below(9) {
            0 => bytes[at] = dice.below(256) as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.splice(at..at, dice.one(&WORDS).iter().copied())),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            5 => bytes.truncate(at),
            6 => {
                let from = dice.below(other.len());
                let to = (from + dice.below(400)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
            _ => length(dice, &mut bytes),
        }
    }
    bytes
}

/// A length in the file becomes another: 4 bytes before the name of a part, or 8 behind it.
fn length(dice: &mut Dice, bytes: &mut [u8]) {
    let part = *dice.one(&PARTS);
    let places: Vec<usize> = bytes
        .windows(part.len())
        .enumerate()
        .filter(|(_, it)| *it == part)
        .map(|(at, _)| at)
        .collect();
    let near = if places.is_empty() {
        dice.below(bytes.len())
    } else {
        *dice.one(&places)
    };
    let (at, count) = match dice.below(3) {
        0 => (near.saturating_sub(4), 4),
        1 => (near + part.len(), 8),
        _ => (near + part.len(), 4),
    };
    for (to, from) in bytes
        .iter_mut()
        .skip(at)
        .take(count)
        .zip(dice.one(&LENGTHS))
    {
        *to = *from;
    }
}

/// Damages a document in one to four places and leaves it JSON.
pub fn json(dice: &mut Dice, document: &Value, other: &Value) -> Value {
    let mut document = document.clone();
    for _ in 0..=dice.below(4) {
        let piece = if dice.below(3) == 0 {
            walk(dice, other).clone()
        } else {
            strange(dice)
        };
        change(dice, &mut document, piece);
    }
    document
}

/// Any value within another.
fn walk<'a>(dice: &mut Dice, mut value: &'a Value) -> &'a Value {
    loop {
        let next = match value {
            Value::Array(items) if !items.is_empty() => &items[dice.below(items.len())],
            Value::Object(map) if !map.is_empty() => {
                let at = dice.below(map.len());
                map.values().nth(at).unwrap_or(value)
            }
            _ => return value,
        };
        if dice.below(4) == 0 {
            return value;
        }
        value = next;
    }
}

fn change(dice: &mut Dice, value: &mut Value, piece: Value) {
    let deeper = dice.below(5) > 0;
    match value {
        Value::Array(items) if !items.is_empty() => {
            let at = dice.below(items.len());
            match dice.below(5) {
                _ if deeper => change(dice, &mut items[at], piece),
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                2 => items.insert(at, piece),
                3 => {
                    let with = dice.below(items.len());
                    items.swap(at, with);
                }
                _ => items[at] = piece,
            }
        }
        Value::Object(map) if !map.is_empty() => {
            let at = dice.below(map.len());
            let key = map.keys().nth(at).cloned().unwrap_or_default();
            match dice.below(4) {
                _ if deeper => change(dice, &mut map[&key], piece),
                0 => drop(map.shift_remove(&key)),
                1 => {
                    let taken = map.shift_remove(&key).unwrap_or_default();
                    map.insert(format!("{key}{}", dice.below(3)), taken);
                }
                2 => {
                    let from = dice.below(map.len());
                    let copy = map.values().nth(from).cloned().unwrap_or_default();
                    map.insert(key, copy);
                }
                _ => drop(map.insert(key, piece)),
            }
        }
        _ => *value = piece,
    }
}

fn strange(dice: &mut Dice) -> Value {
    let nested = |levels: usize| {
        (0..levels).fold(json!(1), |inner, level| {
            if level % 2 == 0 {
                json!([inner])
            } else {
                let mut map = Map::new();
                map.insert("a".to_owned(), inner);
                Value::Object(map)
            }
        })
    };
    match dice.below(16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(i64::MIN),
        5 => json!(1e300),
        6 => json!(0.5),
        7 => json!(""),
        8 => json!("-10"),
        9 => json!("Reroute"),
        10 => json!([]),
        11 => json!({}),
        12 => nested(62 + dice.below(6)),
        13 => nested(100 + dice.below(20)),
        14 => json!("長い".repeat(dice.below(2000))),
        _ => json!(dice.below(20)),
    }
}
