//! Recovery codes: ten, of 120 random bits each, for the day on which the phone is gone. Each works once; only hashes
//! are stored, which is enough for secrets that nobody can guess.

use crate::ids;

pub const HOW_MANY: usize = 10;
const CHARACTERS: usize = 24;
const GROUP: usize = 4;
/// No letters that look like digits or like each other.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Ten new ones, in groups of four.
pub fn make() -> Vec<String> {
    (0..HOW_MANY).map(|_| one()).collect()
}

fn one() -> String {
    let random: [u8; CHARACTERS] = rand::random();
    let characters: Vec<u8> = random.iter().map(|byte| ALPHABET[usize::from(byte % 32)]).collect();
    let groups: Vec<String> = characters.chunks(GROUP).map(|g| String::from_utf8_lossy(g).into_owned()).collect();
    groups.join("-")
}

/// What is stored of a code; none when this cannot be one, however it was typed.
pub fn hash(typed: &str) -> Option<String> {
    let plain = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    let plain: String = plain.collect();
    let fits = plain.len() == CHARACTERS && plain.bytes().all(|b| ALPHABET.contains(&b));
    fits.then(|| ids::sha256_hex(plain.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let codes = make();
        assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), HOW_MANY);
        for code in codes {
            assert_eq!(code.len(), 29);
            let typed = format!(" {} ", code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l"));
            assert_eq!(hash(&typed), hash(&code), "{code}");
            assert!(hash(&code).is_some());
        }
        for nonsense in ["", "123456", "0000-0000-0000-0000-0000-000", "U000-0000-0000-0000-0000-0000"] {
            assert_eq!(hash(nonsense), None);
        }
    }
}
