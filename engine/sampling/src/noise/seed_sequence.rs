//! NumPy's `SeedSequence`: many seeds from one, well mixed.
//!
//! Source: numpy/numpy `numpy/random/bit_generator.pyx` (`SeedSequence`, after M. E. O'Neill's
//! `seed_seq_fe`). Here for `torchsde`, which seeds each node of its tree with one.

const INIT_A: u32 = 0x43b0_d7e5;
const MULT_A: u32 = 0x931e_8875;
const INIT_B: u32 = 0x8b51_f9dd;
const MULT_B: u32 = 0x58f3_8ded;
const MIX_MULT_L: u32 = 0xca01_f9dd;
const MIX_MULT_R: u32 = 0x4973_f715;
const SHIFT: u32 = 16;

/// `SeedSequence(entropy, spawn_key=spawn_key, pool_size=P)`, its first `N` words.
pub(super) fn generate<const P: usize, const N: usize>(
    entropy: u64,
    spawn_key: &[u64],
) -> [u32; N] {
    let pool = mix_entropy::<P>(&assemble(entropy, spawn_key, P));
    let mut hash = INIT_B;
    std::array::from_fn(|i| {
        let value = pool[i % P] ^ hash;
        hash = hash.wrapping_mul(MULT_B);
        let value = value.wrapping_mul(hash);
        value ^ (value >> SHIFT)
    })
}

/// The entropy's words, filled up with zeros where a spawn key follows, and the key's.
fn assemble(entropy: u64, spawn_key: &[u64], pool: usize) -> Vec<u32> {
    let mut words = Vec::new();
    push(&mut words, entropy);
    if !spawn_key.is_empty() && words.len() < pool {
        words.resize(pool, 0);
    }
    for &key in spawn_key {
        push(&mut words, key);
    }
    words
}

/// Low word first, no leading zeros, one word at least.
fn push(words: &mut Vec<u32>, value: u64) {
    words.push(value as u32);
    if value >> 32 != 0 {
        words.push((value >> 32) as u32);
    }
}

fn mix_entropy<const P: usize>(entropy: &[u32]) -> [u32; P] {
    let mut hash = INIT_A;
    let mut hashmix = |value: u32| {
        let value = value ^ hash;
        hash = hash.wrapping_mul(MULT_A);
        let value = value.wrapping_mul(hash);
        value ^ (value >> SHIFT)
    };
    let mut pool: [u32; P] = std::array::from_fn(|i| hashmix(entropy.get(i).copied().unwrap_or(0)));
    for from in 0..P {
        for to in (0..P).filter(|&to| to != from) {
            pool[to] = mix(pool[to], hashmix(pool[from]));
        }
    }
    for &word in entropy.iter().skip(P) {
        for slot in &mut pool {
            *slot = mix(*slot, hashmix(word));
        }
    }
    pool
}

fn mix(x: u32, y: u32) -> u32 {
    let value = MIX_MULT_L
        .wrapping_mul(x)
        .wrapping_sub(MIX_MULT_R.wrapping_mul(y));
    value ^ (value >> SHIFT)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SeedSequence(entropy=.., spawn_key=.., pool_size=..).generate_state(n)`, NumPy 2.
    #[test]
    fn agrees_with_numpy() {
        let root: [u32; 3] = generate::<8, 3>(42, &[]);
        assert_eq!(root, [3148411915, 2066703841, 814058201]);
        let node: [u32; 4] = generate::<24, 4>(42, &[0, 0]);
        assert_eq!(node, [2102017995, 2891809698, 2144110403, 379559146]);
        let deep: [u32; 4] = generate::<24, 4>((1 << 40) + 5, &[3, 2]);
        assert_eq!(deep, [1871255777, 2879413523, 1352781655, 4038398907]);
    }
}
