//! The Mersenne Twister (Matsumoto and Nishimura, 1998) as PyTorch seeds and reads it.
//!
//! Source: pytorch/pytorch, `aten/src/ATen/core/MT19937RNGEngine.h`. Only the low half of a
//! 64-bit seed is used there, so it is only the low half that counts here.

pub(super) const WORDS: usize = 624;
const OFFSET: usize = 397;
const TWIST: u32 = 0x9908_b0df;
const HIGH_BIT: u32 = 0x8000_0000;
const LOW_BITS: u32 = 0x7fff_ffff;

/// A stream of 32-bit draws.
#[derive(Debug, Clone)]
pub(crate) struct Mt19937 {
    state: Box<[u32; WORDS]>,
    next: usize,
}

impl Mt19937 {
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = Box::new([0; WORDS]);
        state[0] = (seed & 0xffff_ffff) as u32;
        for i in 1..WORDS {
            let before = state[i - 1];
            state[i] = 1_812_433_253_u32
                .wrapping_mul(before ^ (before >> 30))
                .wrapping_add(i as u32);
        }
        Self { state, next: WORDS }
    }

    /// The state and the index of the next word.
    pub(crate) fn parts(&self) -> (&[u32; WORDS], usize) {
        (&self.state, self.next)
    }

    /// What [`Mt19937::parts`] took apart; nothing when `next` is beyond the state's end.
    pub(crate) fn from_parts(state: Box<[u32; WORDS]>, next: usize) -> Option<Self> {
        (next <= WORDS).then_some(Self { state, next })
    }

    pub(crate) fn draw(&mut self) -> u32 {
        if self.next == WORDS {
            self.refill();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// Two draws, the first one high (`CPUGeneratorImpl::random64`).
    pub(crate) fn draw64(&mut self) -> u64 {
        let high = u64::from(self.draw());
        (high << 32) | u64::from(self.draw())
    }

    fn refill(&mut self) {
        for i in 0..WORDS {
            let joined = (self.state[i] & HIGH_BIT) | (self.state[(i + 1) % WORDS] & LOW_BITS);
            let twisted = (joined >> 1) ^ if joined & 1 == 1 { TWIST } else { 0 };
            self.state[i] = self.state[(i + OFFSET) % WORDS] ^ twisted;
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's own check: the 10,000th draw from seed 5489 (C++ `std::mt19937`).
    #[test]
    fn ten_thousandth_draw() {
        let mut rng = Mt19937::new(5489);
        let last = (0..10_000).map(|_| rng.draw()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn upper_half_of_the_seed_does_not_count() {
        assert_eq!(Mt19937::new(7).draw(), Mt19937::new(7 | (9 << 32)).draw());
    }
}
