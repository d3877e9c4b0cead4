//! How a payment method flows down a chain: at which accounts it begins, through which it passes, and where it ends.
//! Who pays for whom is [`crate::billing`]'s to say; this draws the lines between, and none that would tell which of
//! the accounts that somebody may not see it is.

use crate::billing::Payer;

/// One account of the chain as far as payment goes, by its place from the root.
pub struct Stop<'a> {
    pub level: usize,
    pub payer: &'a Payer,
    /// Where the payer stands in the chain, if it is inherited.
    pub source: Option<usize>,
}

/// For each account of the chain, whether a payment method comes down from it to the next one.
pub fn lines(levels: usize, stops: &[Stop<'_>], seen: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut down = vec![false; levels];
    for stop in stops.iter().filter(|stop| seen(stop.level) && matches!(stop.payer, Payer::Inherited(_))) {
        let top = match stop.source {
            Some(source) if seen(source) => source,
            // Through all that may not be seen, so that none of it is told from another.
            _ => (0..stop.level).rev().take_while(|level| !seen(*level)).last().unwrap_or(stop.level),
        };
        down[top..stop.level].fill(true);
    }
    down
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Source;

    fn inherited(source: usize, level: usize) -> Payer {
        let distance = (level - source) as i64;
        Payer::Inherited(Source { key: 0, id: String::new(), name: String::new(), distance, verified: true })
    }

    #[test]
    fn lines_run_from_the_payer_to_those_it_pays_for() {
        let (one, own, two) = (inherited(0, 1), Payer::Own { verified: true }, inherited(2, 3));
        let stops = [
            Stop { level: 0, payer: &own, source: None },
            Stop { level: 1, payer: &one, source: Some(0) },
            Stop { level: 2, payer: &own, source: None },
            Stop { level: 3, payer: &two, source: Some(2) },
        ];
        assert_eq!(lines(4, &stops, |_| true), [true, false, true, false]);
    }

    #[test]
    fn which_unseen_account_pays_is_not_told() {
        let drawn = |source: usize| {
            let payer = inherited(source, 3);
            lines(4, &[Stop { level: 3, payer: &payer, source: Some(source) }], |level| level == 3)
        };
        assert_eq!(drawn(0), drawn(2));
        assert_eq!(drawn(1), [true, true, true, false]);
    }
}
