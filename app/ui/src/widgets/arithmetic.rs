//! Numbers as people type them: `24*5`, `(1+2)/3`, `１２`, `16 px`. Whole numbers stay exact.

/// A number: whole ones keep all 64 bits of a seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Num {
    /// Whole.
    Int(i128),
    /// Real, finite.
    Real(f64),
}

impl Num {
    /// As a real.
    pub fn real(self) -> f64 {
        match self {
            Self::Int(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }

    /// As the nearest whole number.
    pub fn whole(self) -> i128 {
        match self {
            Self::Int(whole) => whole,
            Self::Real(real) => real.round() as i128,
        }
    }
}

/// Deepest nesting of parentheses and signs.
const DEEPEST: usize = 64;

/// What an expression comes to; `None` when it is none, or comes to nothing finite. A unit after
/// it is skipped.
pub fn evaluate(text: &str, unit: &str) -> Option<Num> {
    let text: String = text.trim().chars().map(half_width).collect();
    let text = match unit {
        "" => text.as_str(),
        unit => text.strip_suffix(unit).unwrap_or(&text),
    };
    let mut parser = Parser {
        rest: text.as_bytes(),
        depth: 0,
    };
    let value = parser.sum()?;
    parser.skip_space();
    parser.rest.is_empty().then_some(value)
}

/// Digits and signs of a Japanese keyboard.
fn half_width(letter: char) -> char {
    match letter {
        '！'..='～' => char::from_u32(letter as u32 - '！' as u32 + '!' as u32).unwrap_or(letter),
        '　' => ' ',
        '×' => '*',
        '÷' => '/',
        '−' | 'ー' => '-',
        other => other,
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl Parser<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn take(&mut self, signs: &[u8]) -> Option<u8> {
        self.skip_space();
        let (&first, rest) = self.rest.split_first()?;
        signs.contains(&first).then(|| {
            self.rest = rest;
            first
        })
    }

    fn sum(&mut self) -> Option<Num> {
        let mut left = self.product()?;
        while let Some(sign) = self.take(b"+-") {
            let right = self.product()?;
            left = match sign {
                b'+' => both(left, right, i128::checked_add, |a, b| a + b)?,
                _ => both(left, right, i128::checked_sub, |a, b| a - b)?,
            };
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Num> {
        let mut left = self.factor()?;
        while let Some(sign) = self.take(b"*/") {
            let right = self.factor()?;
            left = match sign {
                b'*' => both(left, right, i128::checked_mul, |a, b| a * b)?,
                _ => both(left, right, exact_quotient, |a, b| a / b)?,
            };
        }
        Some(left)
    }

    fn factor(&mut self) -> Option<Num> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let value = match self.take(b"+-(") {
            Some(b'+') => self.factor(),
            Some(b'-') => match self.factor()? {
                Num::Int(whole) => Some(Num::Int(whole.checked_neg()?)),
                Num::Real(real) => Some(Num::Real(-real)),
            },
            Some(_) => {
                let inner = self.sum()?;
                self.take(b")")?;
                Some(inner)
            }
            None => self.number(),
        };
        self.depth -= 1;
        value
    }

    fn number(&mut self) -> Option<Num> {
        let digits = |at: &usize| matches!(self.rest[*at], b'0'..=b'9' | b'.');
        let mut end = (0..self.rest.len())
            .find(|at| !digits(at))
            .unwrap_or(self.rest.len());
        // An exponent belongs to the number, its sign too.
        if end > 0 && matches!(self.rest.get(end), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(self.rest.get(end + 1), Some(b'+' | b'-')));
            let from = end + 1 + signed;
            let count = self.rest[from.min(self.rest.len())..]
                .iter()
                .take_while(|it| it.is_ascii_digit())
                .count();
            if count > 0 {
                end = from + count;
            }
        }
        let (number, rest) = self.rest.split_at(end);
        let number = std::str::from_utf8(number).ok()?;
        self.rest = rest;
        if let Ok(whole) = number.parse() {
            return Some(Num::Int(whole));
        }
        number.parse().ok().and_then(finite)
    }
}

fn finite(real: f64) -> Option<Num> {
    real.is_finite().then_some(Num::Real(real))
}

fn exact_quotient(a: i128, b: i128) -> Option<i128> {
    (b != 0 && a % b == 0).then(|| a / b)
}

/// Exact among whole numbers where that can be, else real.
fn both(
    a: Num,
    b: Num,
    exact: fn(i128, i128) -> Option<i128>,
    real: fn(f64, f64) -> f64,
) -> Option<Num> {
    if let (Num::Int(a), Num::Int(b)) = (a, b)
        && let Some(whole) = exact(a, b)
    {
        return Some(Num::Int(whole));
    }
    finite(real(a.real(), b.real()))
}

#[cfg(test)]
mod tests {
    use super::{Num, evaluate};

    #[test]
    fn what_is_typed_is_worked_out() {
        for (typed, comes_to) in [
            ("24*5", Some(Num::Int(120))),
            (" ( 1 + 2 ) * -3 ", Some(Num::Int(-9))),
            ("7/2", Some(Num::Real(3.5))),
            ("8/2", Some(Num::Int(4))),
            ("1e3", Some(Num::Real(1000.0))),
            ("2.5e-1*4", Some(Num::Real(1.0))),
            ("18446744073709551615", Some(Num::Int(u64::MAX.into()))),
            ("18446744073709551614+1", Some(Num::Int(u64::MAX.into()))),
            ("１２×２", Some(Num::Int(24))),
            ("16 px", Some(Num::Int(16))),
            ("1-2-3", Some(Num::Int(-4))),
            ("1/0", None),
            ("", None),
            ("1+", None),
            ("(1", None),
            ("1 2", None),
            ("abc", None),
            (".", None),
            ("1e999", None),
        ] {
            assert_eq!(evaluate(typed, "px"), comes_to, "{typed}");
        }
        assert_eq!(evaluate(&"(".repeat(100_000), ""), None);
        assert_eq!(evaluate(&"-".repeat(100_000), ""), None);
    }
}
