//! Parameters with any name and any value, and URLs: what was taken is what is got, what was refused has changed
//! nothing, and no secret is shown, whatever is said of the connection that then fails.

use super::choices::Choices;
use super::header::returns;
use super::log::Log;
use super::reading::check_refusal;
use mpegclient::{Client, Kind, PARAMETERS, Status};

const SCHEMES: [&str; 8] = ["rtsp", "http", "https", "rtmp", "tcp", "rtsps", "ftp", "hls+http"];

/// Nothing listens at port 1.
const HOSTS: [&str; 4] = ["127.0.0.1:1", "[::1]:1", "localhost:1", "127.0.0.1:1:1"];

/// A shorter secret is not hidden wherever it stands.
const SHORTEST: usize = 3;

pub fn run(input: &[u8]) {
    let log = Log::begin();
    let mut choices = Choices::new(input);
    let client = Client::new();
    let mut secrets = Vec::new();
    for _ in 0..choices.below(8) {
        set(&client, &mut choices, &log);
    }
    // Of what is in them nothing may be shown while they are set.
    for key in ["username", "password"] {
        secrets.push(client.parameter(key).expect("a parameter of the table"));
    }
    let (url, in_url) = url(&mut choices);
    secrets.extend(in_url);
    connect(&client, &url, &log);
    log.note(&client.describe());
    drop(client);
    let secrets: Vec<String> =
        secrets.iter().filter(|secret| is_secret(secret)).flat_map(|secret| forms(secret)).collect();
    log.check(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
}

fn set(client: &Client, choices: &mut Choices<'_>, log: &Log) {
    let row = PARAMETERS[choices.below(PARAMETERS.len())];
    let key = match choices.below(8) {
        0 => choices.text(),
        1 => format!("av.{}", choices.text()),
        _ => row.key.to_owned(),
    };
    let value = choices.text();
    let before = client.parameter(&key);
    let outcome = client.set_parameter(&key, &value);
    let after = client.parameter(&key);
    match outcome {
        Ok(()) if key.starts_with("av.") && value.is_empty() => assert!(after.is_err(), "{key:?} is still set"),
        Ok(()) => assert_eq!(after.as_deref(), Ok(value.as_str()), "{key:?}"),
        Err(error) => {
            assert_eq!(before, after, "{key:?} was refused and has changed");
            assert!(returns("mpegclient_set_parameter").contains(&error.status), "{error}");
            let is_text = matches!(row.kind, Kind::Text | Kind::Secret) && key == row.key;
            assert!(!is_text, "{key:?} takes any text, but not {value:?}");
            // It names what was asked for, which is no secret where it is refused.
            assert!(error.to_string().len() > 1);
            log.note(if row.kind == Kind::Secret { &error.message } else { "" });
        }
    }
}

/// A URL, and what in it is secret.
fn url(choices: &mut Choices<'_>) -> (String, Vec<String>) {
    let scheme = choices.pick(&SCHEMES);
    let slashes = choices.pick(&["://", "://", "://", ":/", ":"]);
    // The password is what follows the first colon.
    let (host, user, password) = (choices.pick(&HOSTS), choices.text().replace(':', ""), choices.text());
    let path = choices.text();
    (format!("{scheme}{slashes}{user}:{password}@{host}/{path}"), vec![password])
}

/// Fails to connect, soon.
fn connect(client: &Client, url: &str, log: &Log) {
    for (key, value) in [("setup_timeout", "200"), ("max_ring_size", "1"), ("cache_size", "1"), ("reconnect", "off")] {
        client.set_parameter(key, value).expect("a value within its range");
    }
    match client.setup(Some(url), 200, None) {
        // Whatever it has found, it is not what is looked for here.
        Ok(()) => {}
        Err(error) => {
            check_refusal(client, &error);
            assert!(error.status != Status::Internal, "{error}");
            log.note(&error.to_string());
        }
    }
    client.last_failure().iter().for_each(|failure| log.note(&failure.error.to_string()));
}

/// Whether a text can be told from what stands in its place.
fn is_secret(text: &str) -> bool {
    text.len() >= SHORTEST && !text.contains('*')
}

/// A secret as it is, and as a message may quote it.
fn forms(secret: &str) -> Vec<String> {
    vec![secret.to_owned(), secret.escape_debug().to_string()]
}
