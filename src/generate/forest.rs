//! The shape of the tree: who is below whom. Grown in any order, then numbered in preorder, so that everything below an
//! account is one range of numbers.

use rand::Rng;
use rand::rngs::StdRng;

use super::Shape;
use super::names;

/// Levels that the deepest account may have above it.
const DEEPEST: usize = 999;
const USUAL_CHAIN: usize = 63;

/// Accounts by their number, in preorder.
#[derive(Debug, Default)]
pub struct Forest {
    /// The number of the account above; none at a root.
    pub parent: Vec<Option<u32>>,
    pub depth: Vec<u32>,
    /// How many there are in the branch, itself included.
    pub size: Vec<u32>,
    pub root: Vec<u32>,
    pub name: Vec<String>,
}

impl Forest {
    /// Exactly so many accounts, the same for the same seed.
    pub fn grow(accounts: usize, shape: Shape, rng: &mut StdRng) -> Forest {
        let mut grove = Grove::default();
        match shape {
            Shape::Flat => {
                let root = grove.root(rng);
                (1..accounts).for_each(|_| _ = grove.add(root, names::company(rng)));
            }
            Shape::Deep => deep(&mut grove, accounts, rng),
            Shape::Msp => {
                let root = grove.root(rng);
                grove.provider(root, accounts - 1, 0, rng);
            }
            Shape::Mixed => mixed(&mut grove, accounts, rng),
        }
        grove.in_preorder()
    }

    pub fn len(&self) -> usize {
        self.parent.len()
    }

    /// The account and everything above it, from itself up.
    pub fn up(&self, account: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(account), |n| self.parent[*n as usize])
    }
}

fn deep(grove: &mut Grove, accounts: usize, rng: &mut StdRng) {
    let root = grove.root(rng);
    let mut left = accounts - 1;
    let mut levels = DEEPEST;
    while left > 0 {
        let long = levels.min(left);
        grove.chain(root, long);
        left -= long;
        levels = USUAL_CHAIN;
    }
}

/// Thirty providers, of whom the first has most of all accounts and a tenth of them directly below it; one chain as
/// deep as may be, twenty usual deep ones.
fn mixed(grove: &mut Grove, accounts: usize, rng: &mut StdRng) {
    let roots = if accounts < 300 { 3 } else { 30 };
    let mut left = accounts;
    for n in 0..roots {
        let root = grove.root(rng);
        left -= 1;
        let (all, mut mine) = (left, if n == 0 { accounts * 58 / 100 } else { 0 });
        if n == 1 {
            mine = accounts * 12 / 100;
        } else if n > 1 {
            mine = if n + 1 == roots { all } else { (all - (roots - n)) / (roots - n) * 2 / 3 };
        }
        let mut room = mine.min(all);
        left -= room;
        if n == 0 {
            let long = DEEPEST.min(room / 20);
            grove.chain(root, long);
            room -= long;
            for _ in 0..20.min(room / 2_000) {
                grove.chain(root, USUAL_CHAIN);
                room -= USUAL_CHAIN;
            }
        }
        grove.provider(root, room, if n == 0 { accounts / 10 } else { 0 }, rng);
    }
}

/// Accounts in the order they came up, each after the one above it.
#[derive(Default)]
struct Grove {
    parent: Vec<Option<u32>>,
    depth: Vec<u32>,
    name: Vec<String>,
}

impl Grove {
    fn push(&mut self, parent: Option<u32>, name: String) -> u32 {
        self.depth.push(parent.map_or(0, |parent| self.depth[parent as usize] + 1));
        self.parent.push(parent);
        self.name.push(name);
        self.parent.len() as u32 - 1
    }

    fn root(&mut self, rng: &mut StdRng) -> u32 {
        self.push(None, names::provider(rng))
    }

    fn add(&mut self, parent: u32, name: String) -> u32 {
        self.push(Some(parent), name)
    }

    fn chain(&mut self, top: u32, levels: usize) {
        (1..=levels).fold(top, |parent, level| self.add(parent, format!("Level {level}")));
    }

    /// So many accounts below a provider: `direct` customers right below it, the others by region, each with divisions
    /// and sites up to four levels; few customers are large.
    fn provider(&mut self, root: u32, accounts: usize, direct: usize, rng: &mut StdRng) {
        let direct = direct.min(accounts);
        let mut left = accounts - direct;
        (0..direct).for_each(|_| _ = self.add(root, names::company(rng)));
        let regions = (left / 8_000).clamp(1, 12).min(left);
        let regions: Vec<u32> = (0..regions).map(|n| self.add(root, names::region(n))).collect();
        left -= regions.len();
        let mut customers: Vec<Vec<u32>> = Vec::new();
        for _ in 0..left {
            if customers.is_empty() || rng.random_bool(0.06) {
                let region = regions[rng.random_range(0..regions.len())];
                customers.push(vec![self.add(region, names::company(rng))]);
                continue;
            }
            let share: f64 = rng.random();
            let customer = (share * share * customers.len() as f64) as usize;
            let members = &customers[customer];
            let chosen = members[rng.random_range(0..members.len())];
            let level = self.depth[chosen as usize] - self.depth[members[0] as usize];
            let parent = if level < 4 { chosen } else { members[0] };
            let name = names::place(if level < 4 { level } else { 0 }, rng);
            let made = self.add(parent, name);
            customers[customer].push(made);
        }
    }

    fn in_preorder(mut self) -> Forest {
        let all = self.parent.len();
        let mut size = vec![1_u32; all];
        for n in (0..all).rev() {
            if let Some(parent) = self.parent[n] {
                size[parent as usize] += size[n];
            }
        }
        // Where the next child of each account goes: right behind the branches of the children before it.
        let mut next = vec![0_u32; all];
        let mut place = vec![0_u32; all];
        let mut roots_end = 0;
        for n in 0..all {
            let spot = self.parent[n].map_or(&mut roots_end, |parent| &mut next[parent as usize]);
            place[n] = *spot;
            *spot += size[n];
            next[n] = place[n] + 1;
        }
        let mut forest = Forest {
            parent: vec![None; all],
            depth: vec![0; all],
            size: vec![0; all],
            root: vec![0; all],
            name: vec![String::new(); all],
        };
        for n in 0..all {
            let to = place[n] as usize;
            forest.parent[to] = self.parent[n].map(|parent| place[parent as usize]);
            forest.depth[to] = self.depth[n];
            forest.size[to] = size[n];
            forest.name[to] = std::mem::take(&mut self.name[n]);
        }
        for n in 0..all {
            forest.root[n] = forest.parent[n].map_or(n as u32, |parent| forest.root[parent as usize]);
        }
        forest
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_shape_has_as_many_accounts_as_asked_and_ranges_are_branches() {
        for shape in [Shape::Msp, Shape::Flat, Shape::Deep, Shape::Mixed] {
            for accounts in [60, 1_000, 25_000] {
                let forest = Forest::grow(accounts, shape, &mut StdRng::seed_from_u64(7));
                assert_eq!(forest.len(), accounts, "{shape:?}");
                let deepest = forest.depth.iter().max().copied().unwrap_or(0);
                assert!(deepest <= DEEPEST as u32);
                for n in 0..accounts as u32 {
                    let above: Vec<u32> = forest.up(n).collect();
                    assert_eq!(above.len() as u32, forest.depth[n as usize] + 1);
                    assert_eq!(above.last(), Some(&forest.root[n as usize]));
                    assert!(above.iter().all(|a| (*a..*a + forest.size[*a as usize]).contains(&n)));
                }
            }
        }
    }

    #[test]
    fn a_seed_grows_the_same_forest_again() {
        let grow = |seed| Forest::grow(2_000, Shape::Mixed, &mut StdRng::seed_from_u64(seed));
        assert_eq!(grow(1).name, grow(1).name);
        assert_ne!(grow(1).name, grow(2).name);
    }
}
