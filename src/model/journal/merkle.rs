//! Merkle tree over the entries of a journal, as in RFC 6962 (section 2.1): its root, proofs that an entry is in the tree
//! (inclusion), and proofs that a smaller tree is the beginning of a larger one (consistency).
//!
//! The leaf of an entry is SHA-256 of a zero byte and the 32 bytes of the entry's own hash.

use sha2::{Digest, Sha256};

/// Hash of a leaf or of a part of the tree.
pub type Hash = [u8; 32];

/// Maximum number of hashes in a proof: a tree of 2⁶⁴ leaves has no longer one.
pub const MAX_PROOF: usize = 64;

/// Returns the hash of the leaf for an entry with this hash.
pub fn leaf(entry: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    hasher.finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// Returns the root of a tree without leaves: SHA-256 of nothing.
fn empty() -> Hash {
    Sha256::digest([]).into()
}

/// Tree that grows leaf by leaf and keeps only what its root needs: one hash for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete parts, the largest first.
    parts: Vec<Hash>,
}

impl Frontier {
    /// Puts a tree together from what [`Frontier::parts`] returned; `None` if there are too many or too few parts.
    pub fn from_parts(size: u64, parts: Vec<Hash>) -> Option<Self> {
        (parts.len() == size.count_ones() as usize).then_some(Self { size, parts })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete parts, the largest first.
    pub fn parts(&self) -> &[Hash] {
        &self.parts
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut part = leaf;
        // Each one bit at the end of the size is a complete part of the same size as the new one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.parts.pop() {
                part = node(&left, &part);
            }
        }
        self.parts.push(part);
        self.size += 1;
    }

    /// Returns the root.
    pub fn root(&self) -> Hash {
        let mut parts = self.parts.iter().rev();
        let Some(last) = parts.next() else { return empty() };
        parts.fold(*last, |right, left| node(left, &right))
    }
}

/// Returns the largest power of two that is less than `size`, which is at least 2.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// Returns the root of the tree with these leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut tree = Frontier::default();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree.root()
}

/// Returns the proof that the leaf at `index`, from 0, is in the tree; `None` if there is no such leaf.
pub fn inclusion(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut proof, mut leaves, mut index) = (Vec::new(), leaves, index);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Returns the proof that the tree of the first `old` leaves is the beginning of the tree of all; `None` if there are
/// fewer leaves. Empty for no leaves and for all of them.
pub fn consistency(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old > leaves.len() {
        return None;
    }
    if old == 0 {
        return Some(Vec::new());
    }
    let (mut proof, mut leaves, mut old, mut is_complete) = (Vec::new(), leaves, old, true);
    while old < leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if old <= left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            old -= left.len();
            leaves = right;
            is_complete = false;
        }
    }
    // The verifier knows the root of the old tree, but not that of a part of it.
    if !is_complete {
        proof.push(root(leaves));
    }
    proof.reverse();
    Some(proof)
}

/// Returns the root that a proof of inclusion leads to; `None` if a proof of a leaf there has another length. RFC 9162,
/// section 2.1.3.2.
pub fn root_of_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for other in proof {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(other, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, other);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// Returns `true` if the proof shows that a tree of `old` leaves with the root `old_root` is the beginning of one of
/// `new` leaves with the root `new_root`. RFC 9162, section 2.1.4.2.
pub fn is_consistent(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty();
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (first, rest),
        None => return false,
    };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for other in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = node(other, &old_hash);
            new_hash = node(other, &new_hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new_hash = node(&new_hash, other);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition in RFC 6962, section 2.1, word by word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let mut half = 1;
                while half * 2 < leaves.len() {
                    half *= 2;
                }
                node(&defined(&leaves[..half]), &defined(&leaves[half..]))
            }
        }
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|number| leaf(&[number as u8; 32])).collect()
    }

    #[test]
    fn roots_are_those_of_the_definition_and_of_known_vectors() {
        for count in 0..70 {
            let all = leaves(count);
            assert_eq!(root(&all), defined(&all), "{count}");
            let mut tree = Frontier::default();
            all.iter().for_each(|leaf| tree.push(*leaf));
            assert_eq!(Frontier::from_parts(tree.size(), tree.parts().to_vec()), Some(tree.clone()));
            assert_eq!(Frontier::from_parts(tree.size() ^ 1, tree.parts().to_vec()), None);
        }
        let hex = |hash: &Hash| crate::model::text::hex::encode(hash);
        assert_eq!(hex(&root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        // SHA-256 of one zero byte and of 32 zero bytes after it, by sha256sum.
        assert_eq!(hex(&leaf(&[0; 32])), "7f9c9e31ac8256ca2f258583df262dbc7d6f68f2a03043d5c99a4ae5a7396ce9");
    }

    #[test]
    fn every_leaf_has_a_proof_that_leads_to_the_root_and_to_no_other_place() {
        for count in 1..40 {
            let all = leaves(count);
            for index in 0..count {
                let proof = inclusion(&all, index).unwrap();
                for claimed in 0..count as u64 + 2 {
                    let leads = root_of_inclusion(&all[index], claimed, count as u64, &proof) == Some(root(&all));
                    assert_eq!(leads, claimed == index as u64, "{index} as {claimed} of {count}");
                }
                let shorter = proof.split_last().map(|(_, rest)| rest);
                assert!(shorter.is_none_or(|proof| {
                    root_of_inclusion(&all[index], index as u64, count as u64, proof) != Some(root(&all))
                }));
            }
            assert_eq!(inclusion(&all, count), None);
        }
    }

    #[test]
    fn every_beginning_is_consistent_and_nothing_else() {
        for count in 0..34 {
            let all = leaves(count);
            for old in 0..=count {
                let proof = consistency(&all, old).unwrap();
                let (old_root, new_root) = (root(&all[..old]), root(&all));
                let verify = |old, old_root: &Hash, proof: &[Hash]| {
                    is_consistent(old as u64, old_root, count as u64, &new_root, proof)
                };
                assert!(verify(old, &old_root, &proof), "{old} of {count}");
                let mut flipped = old_root;
                flipped[7] ^= 1;
                assert!(!verify(old, &flipped, &proof), "{old} of {count}");
                let mut longer = proof.clone();
                longer.push([0; 32]);
                assert!(!verify(old, &old_root, &longer), "{old} of {count}");
                for other in 0..=count {
                    assert_eq!(verify(other, &old_root, &proof), other == old, "{other} for {old} of {count}");
                }
            }
            assert_eq!(consistency(&all, count + 1), None);
        }
    }

    proptest! {
        #[test]
        fn one_flipped_bit_of_a_proof_is_found(count in 2_usize..200, index: prop::sample::Index, bit: prop::sample::Index) {
            let all = leaves(count);
            let index = index.index(count);
            let mut proof = inclusion(&all, index).unwrap();
            let bit = bit.index(proof.len() * 256);
            proof[bit / 256][bit / 8 % 32] ^= 1 << (bit % 8);
            prop_assert_ne!(root_of_inclusion(&all[index], index as u64, count as u64, &proof), Some(root(&all)));
            let old = index.max(1);
            let mut proof = consistency(&all, old).unwrap();
            if !proof.is_empty() {
                let bit = bit % (proof.len() * 256);
                proof[bit / 256][bit / 8 % 32] ^= 1 << (bit % 8);
                prop_assert!(!is_consistent(old as u64, &root(&all[..old]), count as u64, &root(&all), &proof));
            }
        }
    }
}
