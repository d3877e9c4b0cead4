//! Signatures beside another implementation of the same specification: the one that Standard Webhooks publishes for
//! Python. `./test` installs it into `target/standardwebhooks`; a machine without it fails.

use std::io::Write;
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::ids;
use subtenant::provisioning::signing;

use crate::receiver::{SECRET, key};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/standardwebhooks/bin/python");

/// For each line of (id, moment, signature of ours, body): whether it is right, and its own signature.
const THEIRS: &str = r#"
import datetime, json, sys
from standardwebhooks import Webhook
webhook = Webhook(sys.argv[1])
for line in sys.stdin:
    id, moment, signature, body = json.loads(line)
    headers = {"webhook-id": id, "webhook-timestamp": str(moment), "webhook-signature": signature}
    try:
        webhook.verify(body, headers)
        right = True
    except Exception:
        right = False
    at = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    print(json.dumps([right, webhook.sign(id, at, body)]))
"#;

#[test]
fn signatures_are_made_and_read_as_others_make_and_read_them() {
    let mut dice = StdRng::seed_from_u64(17);
    let now = ids::now().and_utc().timestamp();
    let messages: Vec<(String, i64, String, bool)> = (0..200)
        .map(|n| {
            let words: String = (0..dice.random_range(0..200)).map(|_| dice.random_range('a'..'ž')).collect();
            let body = serde_json::json!({"n": n, "words": words}).to_string();
            (ids::new_id("intent"), now - dice.random_range(0..200), body, n % 3 > 0)
        })
        .collect();
    let mut python = Command::new(PYTHON)
        .args(["-c", THEIRS, SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("standardwebhooks is installed: ./test does it");
    let mut input = python.stdin.take().expect("its input");
    for (id, moment, body, right) in &messages {
        let signed = if *right { body.clone() } else { format!("{body} ") };
        let signature = signing::sign(&[key()], id, *moment, signed.as_bytes());
        writeln!(input, "{}", serde_json::json!([id, moment, signature, body])).expect("it listens");
    }
    drop(input);
    let output = python.wait_with_output().expect("it ends");
    let lines: Vec<(bool, String)> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), messages.len());
    for ((id, moment, body, right), (theirs, signature)) in messages.iter().zip(lines) {
        assert_eq!(theirs, *right, "{body}");
        let moment = moment.to_string();
        assert!(signing::is_right(&[key()], id, &moment, &signature, body.as_bytes(), now), "{signature}");
        assert!(!signing::is_right(&[key()], id, &moment, &signature, format!("{body} ").as_bytes(), now));
    }
}
