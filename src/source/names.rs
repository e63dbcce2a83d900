//! Looks host names up where a wait for the answer can end early: nothing interrupts the system's own call, which takes
//! half a minute where name servers are silent. So it is made in a thread of its own, which all share that want the name.

use super::address::{host, is_live_scheme, scheme};
use crate::cancel::{Expiry, Watch};
use crate::config::Config;
use crate::error::{Error, Phase, Result, Status};
use crate::redact::redact_failure;
use crate::sync::process::PerProcess;
use crate::sync::{Arc, Condvar, Mutex};
use crate::sys;
use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// Look-ups at the same time, in this process. They end by themselves; until then no more are begun.
const MAX_LOOKUPS: usize = 256;

/// One that is older is not joined: name servers may have come back since it asked them.
const JOINED_FOR: Duration = Duration::from_millis(250);

/// What is being looked up in this process.
static NAMES: PerProcess<Names> = PerProcess::new(|| Names::joined_for(JOINED_FOR));

/// Sees to it that the host of the URL, if it has one, has an address. The engines look it up again, as requests have to
/// carry the name, which by then takes no time.
pub(super) fn resolve(config: &Config, watch: &Watch) -> Result<()> {
    // Behind a proxy it is for the proxy to know the name.
    let has_proxy = config.av.contains_key("http_proxy") || std::env::var_os("http_proxy").is_some();
    let Some(host) = host_to_look_up(&config.url, has_proxy) else {
        return Ok(());
    };
    let found = NAMES.get().await_address(host, watch, |name| {
        // The port plays no part.
        let mut addresses = (name, 0).to_socket_addrs().map_err(|error| error.to_string())?;
        addresses.next().map(|_| ()).ok_or_else(|| "the name has no address".to_owned())
    });
    found.map_err(|failure| {
        let (status, what) = match failure {
            Failure::Expired(Expiry::Stopped) => (Status::Stopped, "asked to stop".to_owned()),
            Failure::Expired(Expiry::Deadline) => (Status::Timeout, "no address in time".to_owned()),
            Failure::Refused(what) => (Status::ResolveFailed, what),
            Failure::NotBegun(what) => (Status::System, what),
        };
        let text = redact_failure(&config.url, &what, &config.secrets);
        Error::new(status, text).in_phase(Phase::Resolve).retryable(status != Status::Stopped)
    })
}

/// The host, where it is a name that the engines will look up themselves.
fn host_to_look_up(url: &str, has_proxy: bool) -> Option<&str> {
    let scheme = scheme(url);
    let is_web = ["http", "https"].contains(&scheme.as_str());
    let host = host(url).filter(|_| is_live_scheme(&scheme) || (is_web && !has_proxy))?;
    let is_name = !host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err();
    is_name.then_some(host)
}

/// Why there is no address.
#[derive(Debug, PartialEq)]
enum Failure {
    Expired(Expiry),
    Refused(String),
    NotBegun(String),
}

/// An address, or what the system says.
type Answer = std::result::Result<(), String>;

struct Names {
    joined_for: Duration,
    running: Mutex<Running>,
}

/// What the lock guards.
#[derive(Default)]
struct Running {
    /// How many there are, those included that are no longer joined.
    count: usize,
    newest: HashMap<String, Arc<Lookup>>,
}

struct Lookup {
    begin: Instant,
    answer: Mutex<Option<Answer>>,
    changed: Condvar,
}

impl Names {
    fn joined_for(joined_for: Duration) -> Self {
        Self { joined_for, running: Mutex::default() }
    }

    /// Waits for an address, within the watch's deadline.
    fn await_address(
        &'static self,
        name: &str,
        watch: &Watch,
        look_up: impl FnOnce(&str) -> Answer + Send + 'static,
    ) -> std::result::Result<(), Failure> {
        let lookup = self.join_or_begin(name, look_up).map_err(Failure::NotBegun)?;
        watch.wake_on_stop(&Waker::from(Arc::clone(&lookup)));
        lookup.wait(watch)
    }

    fn join_or_begin(
        &'static self,
        name: &str,
        look_up: impl FnOnce(&str) -> Answer + Send + 'static,
    ) -> std::result::Result<Arc<Lookup>, String> {
        let mut running = self.running.lock();
        if let Some(lookup) = running.newest.get(name).filter(|lookup| lookup.begin.elapsed() < self.joined_for) {
            return Ok(Arc::clone(lookup));
        }
        if running.count >= MAX_LOOKUPS {
            return Err(format!("{} names are being looked up already; try again later", running.count));
        }
        let lookup = Arc::new(Lookup::begin());
        sys::spawn("mpegclient-name", {
            let (name, lookup) = (name.to_owned(), Arc::clone(&lookup));
            move || {
                let answer = look_up(&name);
                self.end(&name, &lookup, answer);
            }
        })
        .map_err(|error| format!("the thread that looks the name up: {error}"))?;
        // Whoever ends it waits for the lock that is held here.
        running.count += 1;
        running.newest.insert(name.to_owned(), Arc::clone(&lookup));
        Ok(lookup)
    }

    fn end(&self, name: &str, lookup: &Arc<Lookup>, answer: Answer) {
        let mut running = self.running.lock();
        if running.newest.get(name).is_some_and(|other| Arc::ptr_eq(other, lookup)) {
            running.newest.remove(name);
        }
        running.count -= 1;
        *lookup.answer.lock() = Some(answer);
        lookup.changed.notify_all();
    }
}

impl Lookup {
    fn begin() -> Self {
        Self { begin: Instant::now(), answer: Mutex::new(None), changed: Condvar::default() }
    }

    fn wait(&self, watch: &Watch) -> std::result::Result<(), Failure> {
        let mut answer = self.answer.lock();
        loop {
            if let Some(answer) = answer.as_ref() {
                return answer.clone().map_err(Failure::Refused);
            }
            if let Some(expiry) = watch.expiry() {
                return Err(Failure::Expired(expiry));
            }
            (answer, _) = self.changed.wait_until(answer, Instant::now().checked_add(watch.remaining()));
        }
    }
}

/// Has all that wait look at their watches.
impl Wake for Lookup {
    fn wake(self: Arc<Self>) {
        // Who has looked at its watch before it was stopped, but does not wait yet, holds the lock.
        drop(self.answer.lock());
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::process::Lazy;
    use std::sync::mpsc;

    /// A look-up that gives its answer when it is told to.
    fn held() -> (mpsc::Sender<Answer>, impl FnOnce(&str) -> Answer) {
        let (sender, receiver) = mpsc::channel();
        (sender, move |_: &str| receiver.recv().expect("the test is over"))
    }

    fn unwanted(_: &str) -> Answer {
        unreachable!("it was to be joined")
    }

    #[test]
    fn names_that_the_engines_look_up_are_looked_up_first() {
        for (url, expected) in [
            ("rtsp://cam.lan:554/1", Some("cam.lan")),
            ("rtsp://127.0.0.1/1", None),
            ("rtsp://[::1]/1", None),
            ("udp://@:1234", None),
            ("ipfs://bafy", None),
            ("concat:http://a/1|http://b/2", None),
            ("file://host/clip.mp4", None),
            ("clip.mp4", None),
        ] {
            assert_eq!(host_to_look_up(url, false), expected, "{url}");
        }
    }

    #[test]
    fn a_proxy_looks_names_up_itself() {
        let url = "https://cam.lan/1";
        assert_eq!((host_to_look_up(url, true), host_to_look_up(url, false)), (None, Some("cam.lan")));
    }

    #[test]
    fn who_waits_for_the_same_name_shares_one_look_up() {
        static NAMES: Lazy<Names> = Lazy::new(|| Names::joined_for(Duration::MAX));
        let (answer, look_up) = held();
        let first = NAMES.join_or_begin("cam", look_up).expect("begun");
        let second = NAMES.join_or_begin("cam", unwanted).expect("joined");
        assert_eq!(NAMES.running.lock().count, 1);
        answer.send(Err("no such name".to_owned())).expect("over");
        for lookup in [first, second] {
            assert_eq!(lookup.wait(&Watch::default()), Err(Failure::Refused("no such name".to_owned())));
        }
        assert_eq!(NAMES.running.lock().count, 0);
        assert_eq!(NAMES.await_address("cam", &Watch::default(), |_| Ok(())), Ok(()), "a new one was begun");
    }

    #[test]
    fn a_wait_ends_with_its_watch_and_a_stop_wakes_it() {
        static NAMES: Lazy<Names> = Lazy::new(|| Names::joined_for(Duration::MAX));
        let (answer, look_up) = held();
        let watch = Watch::default();
        watch.allow_ms(1);
        let expired = |expiry| Err(Failure::Expired(expiry));
        assert_eq!(NAMES.await_address("cam", &watch, look_up), expired(Expiry::Deadline));
        watch.allow_ms(i64::MAX);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| NAMES.await_address("cam", &watch, unwanted));
            std::thread::sleep(Duration::from_millis(20));
            watch.stop();
            assert_eq!(waiting.join().expect("panicked"), expired(Expiry::Stopped));
        });
        answer.send(Ok(())).expect("over");
    }

    #[test]
    fn there_is_an_end_to_the_look_ups_at_a_time() {
        static NAMES: Lazy<Names> = Lazy::new(|| Names::joined_for(Duration::MAX));
        NAMES.running.lock().count = MAX_LOOKUPS;
        let refused = NAMES.await_address("cam", &Watch::default(), unwanted);
        assert!(matches!(refused, Err(Failure::NotBegun(text)) if text.starts_with("256 names")));
    }
}
