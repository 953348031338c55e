//! The shortest edit script between two token sequences (Myers 1986), bounded, as the gaps that it leaves.

use std::ops::Range;

/// A stretch where the two sequences differ: the tokens left over on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) left: Range<usize>,
    pub(super) right: Range<usize>,
}

/// Aligns two sequences with as many tokens in common as can be; `None` if more than `max_edits` tokens are left over.
pub(super) fn gaps<T: PartialEq>(left: &[T], right: &[T], max_edits: usize) -> Option<Vec<Gap>> {
    let front = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (a, b) = (&left[front..], &right[front..]);
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - back], &b[..b.len() - back]);
    if a.is_empty() && b.is_empty() {
        return Some(Vec::new());
    }
    if a.len().abs_diff(b.len()) > max_edits {
        return None;
    }
    if a.is_empty() || b.is_empty() {
        return Some(vec![Gap { left: front..front + a.len(), right: front..front + b.len() }]);
    }
    let trace = forward(a, b, max_edits)?;
    Some(backward(a.len(), b.len(), &trace, front))
}

/// The furthest reach on each diagonal, for every number of edits, until both ends are met.
fn forward<T: PartialEq>(a: &[T], b: &[T], max_edits: usize) -> Option<Vec<Vec<usize>>> {
    let limit = max_edits.min(a.len() + b.len());
    let mut trace: Vec<Vec<usize>> = Vec::new();
    for edits in 0..=limit {
        // Diagonal k = x - y lies at index (k + edits) / 2 of its row.
        let mut row = vec![0; edits + 1];
        for index in 0..=edits {
            let mut x = start_of(&trace, edits, index).0;
            let mut y = x + edits - 2 * index;
            while x < a.len() && y < b.len() && a[x] == b[y] {
                x += 1;
                y += 1;
            }
            row[index] = x;
            if x >= a.len() && y >= b.len() {
                trace.push(row);
                return Some(trace);
            }
        }
        trace.push(row);
    }
    None
}

/// Where the walk on a diagonal begins after its last edit, and whether that edit dropped a token of the left side.
fn start_of(trace: &[Vec<usize>], edits: usize, index: usize) -> (usize, bool) {
    let Some(row) = trace.get(edits.wrapping_sub(1)) else { return (0, false) };
    // The diagonal above (k + 1) lies at `index` of the row before, the one below (k - 1) at `index - 1`.
    let insert = row.get(index).copied();
    let delete = index.checked_sub(1).map(|below| row[below] + 1);
    match (insert, delete) {
        (Some(x), Some(y)) if y > x => (y, true),
        (Some(x), _) => (x, false),
        (None, Some(y)) => (y, true),
        (None, None) => (0, false),
    }
}

fn backward(a_len: usize, b_len: usize, trace: &[Vec<usize>], offset: usize) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let edits = trace.len() - 1;
    let mut index = (a_len + edits - b_len) / 2;
    for edits in (1..=edits).rev() {
        let (x, dropped_left) = start_of(&trace[..edits], edits, index);
        let y = x + edits - 2 * index;
        let (left, right) = if dropped_left {
            (x - 1 + offset..x + offset, y + offset..y + offset)
        } else {
            (x + offset..x + offset, y - 1 + offset..y + offset)
        };
        match gaps.last_mut() {
            Some(gap) if gap.left.start == left.end && gap.right.start == right.end => {
                gap.left.start = left.start;
                gap.right.start = right.start;
            }
            _ => gaps.push(Gap { left, right }),
        }
        if dropped_left {
            index -= 1;
        }
    }
    gaps.reverse();
    gaps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The length of the longest common subsequence, the plain way.
    fn common(a: &[u8], b: &[u8]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut corner = 0;
            for (j, y) in b.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if x == y { corner + 1 } else { above.max(row[j]) };
                corner = above;
            }
        }
        row[b.len()]
    }

    proptest! {
        #[test]
        fn what_is_outside_the_gaps_is_equal_and_as_long_as_can_be(
            a in proptest::collection::vec(0_u8..4, 0..14),
            b in proptest::collection::vec(0_u8..4, 0..14),
        ) {
            let gaps = gaps(&a, &b, 100).unwrap();
            let (mut x, mut y, mut kept) = (0, 0, 0);
            for gap in &gaps {
                prop_assert_eq!(&a[x..gap.left.start], &b[y..gap.right.start]);
                kept += gap.left.start - x;
                (x, y) = (gap.left.end, gap.right.end);
            }
            prop_assert_eq!(&a[x..], &b[y..]);
            prop_assert_eq!(kept + a.len() - x, common(&a, &b));
        }

        #[test]
        fn more_edits_than_allowed_are_none(
            a in proptest::collection::vec(0_u8..4, 0..14),
            b in proptest::collection::vec(0_u8..4, 0..14),
            max in 0_usize..10,
        ) {
            let edits = a.len() + b.len() - 2 * common(&a, &b);
            prop_assert_eq!(gaps(&a, &b, max).is_some(), edits <= max);
        }
    }
}
