//! Authenticator apps: the secret, the picture they scan, and which codes are right (RFC 6238: six digits, 30 seconds,
//! one step of clock skew either way).

use qrcode::{Color, EcLevel, QrCode};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::problem::Problem;

const ISSUER: &str = "Subtenant";
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
const SKEW: u16 = 1;
/// Light modules around the picture, as scanners want them.
const QUIET: usize = 4;

/// 160 random bits.
pub fn new_secret() -> Vec<u8> {
    rand::random::<[u8; 20]>().to_vec()
}

fn totp(secret: &[u8], email: &str) -> Totp {
    let builder = |name: &str| {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_skew(SKEW)
            .with_secret(secret.to_vec())
            .with_account_name(name)
            .with_issuer(Some(ISSUER))
    };
    // A colon in the name would be read as the end of the issuer.
    builder(email).build().unwrap_or_else(|_| builder("account").build_noncompliant())
}

/// The step of the clock that this code belongs to, if it is right at this moment (in seconds since 1970).
pub fn step_of(secret: &[u8], code: &str, now: i64) -> Option<i64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let fits = digits.len() == usize::from(DIGITS) && digits.bytes().all(|b| b.is_ascii_digit());
    let step = totp(secret, "").check(&digits, u64::try_from(now).ok()?);
    step.filter(|_| fits).and_then(|step| i64::try_from(step).ok())
}

/// What somebody needs to put the secret into their app.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// `otpauth://…`
    pub link: String,
    /// For typing, in groups of four.
    pub text: String,
    /// The dark modules of the picture, as the path of an SVG of this many modules.
    pub path: String,
    pub modules: usize,
}

pub fn set_up(secret: &[u8], email: &str) -> Result<SetUp, Problem> {
    let link = totp(secret, email).to_url().map_err(|e| Problem::Bug(anyhow::anyhow!("{e:?}")))?;
    let text = Secret::from(secret.to_vec()).to_base32();
    let groups: Vec<String> = text.as_bytes().chunks(4).map(|g| String::from_utf8_lossy(g).into_owned()).collect();
    let code = QrCode::with_error_correction_level(&link, EcLevel::M);
    let code = code.map_err(|e| Problem::Bug(anyhow::anyhow!("{e}")))?;
    let width = code.width();
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
    let path = dark.map(|(n, _)| format!("M{} {}h1v1h-1z", n % width + QUIET, n / width + QUIET)).collect();
    Ok(SetUp { link, text: groups.join(" "), path, modules: width + 2 * QUIET })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_764_000_015;

    fn code(secret: &[u8], at: i64) -> String {
        totp(secret, "x").generate(u64::try_from(at).unwrap()).to_string()
    }

    #[test]
    fn one_step_of_skew_is_forgiven_and_no_more() {
        let secret = new_secret();
        for (off, right) in [(-90, false), (-60, false), (-30, true), (0, true), (30, true), (60, false), (90, false)] {
            let step = step_of(&secret, &code(&secret, NOW + off), NOW);
            assert_eq!(step.is_some(), right, "{off}");
            assert!(step.is_none_or(|step| step == (NOW + off) / 30), "{off}");
        }
    }

    #[test]
    fn blanks_do_not_matter_and_anything_else_is_no_code() {
        let secret = new_secret();
        let right = code(&secret, NOW);
        assert!(step_of(&secret, &format!(" {} {} ", &right[..3], &right[3..]), NOW).is_some());
        for wrong in ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", &format!("{right}0"), &format!("+{}", &right[1..])]
        {
            assert_eq!(step_of(&secret, wrong, NOW), None, "{wrong}");
        }
        assert_eq!(step_of(&new_secret(), &right, NOW), None);
    }

    #[test]
    fn every_address_can_be_set_up() {
        for email in ["ann@example.com", "a:b@example.com", &format!("{}@example.com", "x".repeat(240))] {
            let made = set_up(&new_secret(), email).unwrap();
            assert!(made.link.starts_with("otpauth://totp/"), "{}", made.link);
            assert_eq!(made.text.len(), 39);
            assert!(made.path.starts_with("M4 4h1v1h-1z") && made.modules > 29);
        }
    }
}
