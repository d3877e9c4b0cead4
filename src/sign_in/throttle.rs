//! Guessing at sign-in (ASVS 5.0, 6.1.1 and 6.3.1). Attempts are counted before the password is looked at, in three
//! buckets over 15 minutes: an address (50), an address with one e-mail (10), an e-mail from anywhere (100). The last
//! does not hold for an address from which that person signed in during the last 30 days, so that a stranger cannot
//! lock them out. Only hashes of addresses and e-mails are kept.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

use crate::ids::{self, Key, sha256_hex};
use crate::problem::Problem;
use crate::store::schema::throttles;
use crate::store::{self as database, Db};
use crate::text::email_key;

const WINDOW_MINUTES: i64 = 15;
const KNOWN_DAYS: i64 = 30;
const PER_ADDRESS: i64 = 50;
const PER_PAIR: i64 = 10;
const PER_EMAIL: i64 = 100;
/// Codes of one person in a window.
const PER_PERSON: i64 = 10;
/// New accounts from one address in a window.
const SIGN_UPS: i64 = 100;
/// Requests for a new password: from one address, and from one address for one e-mail.
const RESETS: i64 = 20;
const RESETS_PER_PAIR: i64 = 5;
/// Letters that one person has sent to addresses of their choice.
const LETTERS: i64 = 5;
/// Guesses at the e-mail that belongs to a mailed link.
const PER_LINK: i64 = 10;
/// Links that do not work, tried from one address in a window.
const DEAD_LINKS: i64 = 50;

/// Whom an attempt is counted against.
#[derive(Debug, Clone)]
pub struct Attempt {
    address: String,
    pair: String,
    email: String,
    known: String,
}

impl Attempt {
    pub fn new(address: &str, email: &str) -> Attempt {
        let (network, email) = (network(address), email_key(email));
        let both = format!("{email} {network}");
        Attempt {
            address: bucket("address", &network),
            pair: bucket("pair", &both),
            email: bucket("email", &email),
            known: bucket("known", &both),
        }
    }
}

/// Somebody with one IPv6 line has 2^64 addresses: the line counts, not the address.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let bits = u128::from(v6) >> 64 << 64;
            format!("{}/64", Ipv6Addr::from(bits))
        }
        _ => address.to_owned(),
    }
}

/// An attempt that was counted.
#[derive(Debug, Clone)]
pub struct Counted {
    attempt: Attempt,
    /// Came from where the person is known, so it took nothing from the bucket of the e-mail.
    known: bool,
}

/// Counts an attempt to sign in. TooMany when one of the buckets is full.
pub fn count(db: &mut Db, attempt: &Attempt) -> Result<Counted, Problem> {
    database::write(db, |db| {
        let known = is_known(db, attempt)?;
        take(db, &attempt.address, PER_ADDRESS)?;
        take(db, &attempt.pair, PER_PAIR)?;
        if !known {
            take(db, &attempt.email, PER_EMAIL)?;
        }
        Ok(Counted { attempt: attempt.clone(), known })
    })
}

/// Whether this person signed in from this address lately.
pub fn is_known(db: &mut Db, attempt: &Attempt) -> Result<bool, Problem> {
    Ok(row(db, &attempt.known)?.is_some_and(|(at, _)| ids::now() - at < Duration::days(KNOWN_DAYS)))
}

fn bucket(kind: &str, what: &str) -> String {
    format!("{kind}:{}", &sha256_hex(what.as_bytes())[..32])
}

fn codes_of(user: Key) -> String {
    format!("code:{user}")
}

/// Counts a code of somebody whose password was right. By person alone: who gets here without being them has stolen
/// the password.
pub fn count_code(db: &mut Db, user: Key) -> Result<(), Problem> {
    database::write(db, |db| take(db, &codes_of(user), PER_PERSON))
}

/// A right code: those before were none to count.
pub fn code_was_right(db: &mut Db, user: Key) -> Result<(), Problem> {
    diesel::delete(throttles::table.find(codes_of(user))).execute(db)?;
    Ok(())
}

/// Counts somebody signing in with a passkey alone: by address, as nobody is named.
pub fn count_passkey(db: &mut Db, address: &str) -> Result<(), Problem> {
    database::write(db, |db| take(db, &bucket("passkey", &network(address)), PER_ADDRESS))
}

/// A right passkey: the attempt was none.
pub fn passkey_was_right(db: &mut Db, address: &str) -> Result<(), Problem> {
    give_back(db, &bucket("passkey", &network(address)))
}

/// Counts somebody signing up.
pub fn count_sign_up(db: &mut Db, address: &str) -> Result<(), Problem> {
    database::write(db, |db| take(db, &bucket("sign-up", &network(address)), SIGN_UPS))
}

/// Counts somebody asking for a new password. How many mails that makes for one e-mail is limited where they are
/// written: a refusal here, from anywhere, would let strangers keep somebody out.
pub fn count_reset(db: &mut Db, address: &str, email: &str) -> Result<(), Problem> {
    let (network, email) = (network(address), email_key(email));
    take(db, &bucket("reset", &network), RESETS)?;
    take(db, &bucket("reset-pair", &format!("{email} {network}")), RESETS_PER_PAIR)
}

/// Counts a letter that somebody has sent to an address of their choice.
pub fn count_letter(db: &mut Db, user: Key) -> Result<(), Problem> {
    take(db, &bucket("letter", &user.to_string()), LETTERS)
}

/// Counts a guess at whose link this is.
pub fn count_guess(db: &mut Db, email: &str) -> Result<(), Problem> {
    take(db, &bucket("guess", &email_key(email)), PER_LINK)
}

/// Counts a link that does not work: a guess, or an old mail.
pub fn count_link(db: &mut Db, address: &str) -> Result<(), Problem> {
    database::write(db, |db| take(db, &bucket("link", &network(address)), DEAD_LINKS))
}

/// A right password: the attempt was none, and the address is known from now on.
pub fn succeeded(db: &mut Db, counted: &Counted) -> Result<(), Problem> {
    let attempt = &counted.attempt;
    database::write(db, |db| {
        // In the order in which they were taken, so that two sign-ins cannot wait for each other.
        give_back(db, &attempt.address)?;
        diesel::delete(throttles::table.find(&attempt.pair)).execute(db)?;
        if !counted.known {
            give_back(db, &attempt.email)?;
        }
        insert(db, &attempt.known, 0)
    })
}

/// Somebody showed in another way who they are: the address is known from now on.
pub fn recognise(db: &mut Db, attempt: &Attempt) -> Result<(), Problem> {
    database::write(db, |db| {
        diesel::delete(throttles::table.find(&attempt.pair)).execute(db)?;
        insert(db, &attempt.known, 0)
    })
}

/// One less in the bucket.
fn give_back(db: &mut Db, bucket: &str) -> Result<(), Problem> {
    diesel::update(throttles::table.find(bucket).filter(throttles::failures.gt(0)))
        .set(throttles::failures.eq(throttles::failures - 1))
        .execute(db)?;
    Ok(())
}

fn row(db: &mut Db, bucket: &str) -> Result<Option<(NaiveDateTime, i64)>, Problem> {
    let row = throttles::table.find(bucket).select((throttles::window_started_at, throttles::failures));
    Ok(row.first(db).optional()?)
}

fn insert(db: &mut Db, bucket: &str, failures: i64) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO throttles (bucket, window_started_at, failures) VALUES ($1, $2, $3)
         ON CONFLICT (bucket) DO UPDATE SET window_started_at = $2, failures = $3",
    )
    .bind::<diesel::sql_types::Text, _>(bucket)
    .bind::<diesel::sql_types::Timestamp, _>(ids::now())
    .bind::<diesel::sql_types::BigInt, _>(failures)
    .execute(db)?;
    Ok(())
}

/// One more in the bucket, atomically; TooMany with the seconds until its window ends.
fn take(db: &mut Db, bucket: &str, most: i64) -> Result<(), Problem> {
    let now = ids::now();
    let window = Duration::minutes(WINDOW_MINUTES);
    // One statement, so that of many first attempts at the same moment none is lost.
    diesel::sql_query(
        "INSERT INTO throttles (bucket, window_started_at, failures) VALUES ($1, $2, 1)
         ON CONFLICT (bucket) DO UPDATE SET
           failures = CASE WHEN throttles.window_started_at > $3 THEN throttles.failures + 1 ELSE 1 END,
           window_started_at = CASE WHEN throttles.window_started_at > $3 THEN throttles.window_started_at ELSE $2 END",
    )
    .bind::<diesel::sql_types::Text, _>(bucket)
    .bind::<diesel::sql_types::Timestamp, _>(now)
    .bind::<diesel::sql_types::Timestamp, _>(now - window)
    .execute(db)?;
    match row(db, bucket)? {
        Some((started, failures)) if failures > most => {
            Err(Problem::TooMany { seconds: (started + window - now).num_seconds().max(1) })
        }
        _ => Ok(()),
    }
}

/// Rows that tell nothing any more go.
pub fn sweep(db: &mut Db) -> Result<usize, Problem> {
    let now = ids::now();
    let old = throttles::window_started_at.lt(now - Duration::minutes(WINDOW_MINUTES)).and(throttles::failures.gt(0));
    let forgotten = throttles::window_started_at.lt(now - Duration::days(KNOWN_DAYS));
    Ok(diesel::delete(throttles::table.filter(old.or(forgotten))).execute(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DatabaseUrl;

    #[test]
    fn a_right_passkey_is_no_attempt() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("throttle.db").display().to_string());
        database::migrate(&url).unwrap();
        let pool = database::Pool::open(&url, 1).unwrap();
        let sign_in = |db: &mut Db| {
            count_passkey(db, "192.0.2.1")?;
            passkey_was_right(db, "192.0.2.1")
        };
        pool.write_here(|db| (0..=PER_ADDRESS).try_for_each(|_| sign_in(db))).unwrap();
    }

    #[test]
    fn one_line_of_ipv6_is_one_address() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("10.0.0.1"), "10.0.0.1");
    }
}
