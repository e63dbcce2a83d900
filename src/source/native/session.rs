//! An RTSP session of retina's, run in the thread that wants its packets: every step ends when the watch says so.

use super::Refusal;
use super::failure::{Failure, Step};
use crate::cancel::{Expiry, Watch};
use crate::config::{Config, RtspEngine};
use crate::error::{Error, Phase, Status};
use crate::redact::{percent_decode, redact_failure};
use crate::rtp::sdp;
use futures_core::Stream as _;
use retina::client::{
    Credentials, Described, InitialSequenceNumberPolicy, PacketItem, PlayOptions, Playing, SessionGroup,
    SessionIdPolicy, SessionOptions, SetupOptions, TcpTransportOptions, Transport, UdpTransportOptions,
};
use retina::rtp::ReceivedPacket;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// How often it is looked at whether the stream has stalled, while nothing comes. Longer than most streams are silent
/// between two pictures, so that a stream that is well wakes its thread for nothing but packets.
const TICK: Duration = Duration::from_millis(250);

/// How long a server may take to confirm that the session is over.
const FAREWELL: Duration = Duration::from_millis(100);

/// What an RTSP server answers where it does not know the transport: RFC 2326, section 7.1.1.
const UNSUPPORTED_TRANSPORT: u16 = 461;

/// What is told of a panic in what is not ours.
pub(super) const PANICKED: &str = "the native RTSP engine met with what it did not expect (a panic was caught)";

/// So many packets of another source in a row, while the stream's own are missing for so long, mean that it goes on there.
const FOREIGN_PACKETS: u32 = 5;
const FOREIGN_SILENCE: Duration = Duration::from_millis(250);

/// What comes next.
pub(super) enum Item {
    Packet(ReceivedPacket),
    /// The sender's clock showed an NTP time when the stream's showed this timestamp.
    Report {
        ntp: u64,
        timestamp: i64,
    },
}

/// Why nothing comes any more.
pub(super) enum Stop {
    Interrupted(Interruption),
    Closed,
    Failed(retina::Error),
}

/// Why a step of retina's did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interruption {
    Expired(Expiry),
    /// It met with something that its authors did not expect.
    Panicked,
}

/// What the session description tells of the stream that plays.
pub(super) struct Stream {
    pub(super) index: usize,
    pub(super) encoding_name: String,
    pub(super) payload_type: u8,
    pub(super) clock_rate: u32,
    /// Of the payload format.
    pub(super) parameters: String,
}

/// A session that plays one stream.
pub(super) struct Session {
    tasks: Tasks,
    /// There until it is dropped.
    playing: Option<retina::client::Session<Playing>>,
    /// Tells when the server has confirmed the end.
    group: Arc<SessionGroup>,
    stream: Stream,
    others: OtherSources,
}

/// Packets of other synchronization sources (SSRC) in the stream's channel, such as those of an older session that the
/// server has not ended yet. They are no part of the stream: RFC 3550, section 8.2.
struct OtherSources {
    packets: u32,
    last_own: Instant,
    longest_silence: Duration,
}

impl OtherSources {
    fn new() -> Self {
        Self { packets: 0, last_own: Instant::now(), longest_silence: Duration::ZERO }
    }

    fn note_own(&mut self, now: Instant) {
        self.longest_silence = self.longest_silence.max(now - self.last_own);
        (self.packets, self.last_own) = (0, now);
    }

    /// Whether the packet that caused this error can be passed over.
    fn may_ignore(&mut self, error: &str, now: Instant) -> bool {
        if !error.contains("wrong ssrc") {
            return false;
        }
        self.packets += 1;
        self.packets < FOREIGN_PACKETS || now - self.last_own < FOREIGN_SILENCE.max(2 * self.longest_silence)
    }
}

impl Session {
    /// Connects, and has the first video stream played.
    pub(super) fn open(config: &Config, watch: &Watch) -> std::result::Result<Self, Refusal> {
        let opening = Opening { config, watch };
        let (url, credentials) = opening.address()?;
        // The name is known, which this tells whoever asks how far it has come.
        watch.poll();
        let tasks = Tasks::new().map_err(|text| opening.refusal(Status::System, Phase::Connect, &text))?;
        let group = Arc::new(SessionGroup::default());
        let mut described = opening.describe(&tasks, url, credentials, &group)?;
        let stream = match opening.set_up(&tasks, &mut described) {
            Ok(stream) => stream,
            Err(refusal) => {
                tasks.leave(described, &group);
                return Err(refusal);
            }
        };
        let playing = opening.play(&tasks, described)?;
        Ok(Self { tasks, playing: Some(playing), group, stream, others: OtherSources::new() })
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Waits for what comes next.
    pub(super) fn next(&mut self, watch: &Watch) -> std::result::Result<Item, Stop> {
        let Some(playing) = self.playing.as_mut() else {
            return Err(Stop::Closed);
        };
        loop {
            // Also where packets come so fast that it is never waited for one.
            if let Some(expiry) = watch.look() {
                return Err(Stop::Interrupted(Interruption::Expired(expiry)));
            }
            let next = poll_fn(|context| Pin::new(&mut *playing).poll_next(context));
            match self.tasks.run(watch, next).map_err(Stop::Interrupted)? {
                None => return Err(Stop::Closed),
                Some(Err(error)) if self.others.may_ignore(&error.to_string(), Instant::now()) => {}
                Some(Err(error)) => return Err(Stop::Failed(error)),
                Some(Ok(PacketItem::Rtp(packet))) => {
                    self.others.note_own(Instant::now());
                    return Ok(Item::Packet(packet));
                }
                Some(Ok(PacketItem::Rtcp(reports))) => {
                    let first = reports.pkts().next().and_then(|packet| packet.as_sender_report().ok().flatten());
                    if let (Some(report), Some(timestamp)) = (first, reports.rtp_timestamp()) {
                        return Ok(Item::Report { ntp: report.ntp_timestamp().0, timestamp: timestamp.elapsed() });
                    }
                }
                Some(Ok(_)) => {}
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.leave(self.playing.take(), &self.group);
    }
}

/// What retina's tasks run in: this thread, and one more for as long as a name is looked up.
struct Tasks {
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl Tasks {
    fn new() -> std::result::Result<Self, String> {
        let mut builder = Builder::new_current_thread();
        let made = builder.enable_all().max_blocking_threads(1).thread_keep_alive(Duration::ZERO).build();
        made.map(|runtime| Self { runtime: Some(runtime) }).map_err(|error| error.to_string())
    }

    /// Does something to its end. Panics end here: retina is not ours, and the other engine may do better.
    fn block_on<T>(&self, work: impl Future<Output = T>) -> std::result::Result<T, Interruption> {
        let runtime = self.runtime.as_ref().ok_or(Interruption::Panicked)?;
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(work))).map_err(|_| Interruption::Panicked)
    }

    /// Does something until it is done, or until the watch says that it must end.
    fn run<T>(&self, watch: &Watch, work: impl Future<Output = T>) -> std::result::Result<T, Interruption> {
        let done = self.block_on(async {
            // It ends in here, too: a session that is dropped has a task say farewell.
            let mut work = pin!(work);
            // Looked at each time, too: where bytes come without a pause, no timer has its turn. A stop wakes the task.
            let mut watched = poll_fn(|context| {
                watch.wake_on_stop(context.waker());
                match watch.look() {
                    Some(expiry) => Poll::Ready(Err(expiry)),
                    None => work.as_mut().poll(context).map(Ok),
                }
            });
            loop {
                tokio::select! {
                    biased;
                    done = &mut watched => return done,
                    () = tokio::time::sleep(TICK.min(watch.remaining())) => {}
                }
                if let Some(expiry) = watch.poll() {
                    return Err(expiry);
                }
            }
        });
        done?.map_err(Interruption::Expired)
    }

    /// Drops a session, which tells the server, but does not wait long for its answer.
    fn leave<T>(&self, session: T, group: &SessionGroup) {
        let _ = self.block_on(async {
            // Has to be dropped within the runtime, where it has a task say farewell.
            drop(session);
            let _ = tokio::time::timeout(FAREWELL, group.await_teardown()).await;
        });
    }
}

impl Drop for Tasks {
    /// Waits for nothing: a name server that does not answer would be waited for.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One that the server has described.
type DescribedSession = retina::client::Session<Described>;

/// What the steps of opening a session have in common.
struct Opening<'a> {
    config: &'a Config,
    watch: &'a Watch,
}

impl Opening<'_> {
    /// The URL without credentials, and those.
    fn address(&self) -> std::result::Result<(Url, Option<Credentials>), Refusal> {
        let odd = |what: &str| self.refusal(Status::InvalidArgument, Phase::Connect, what).for_other();
        let mut url = Url::parse(&self.config.url).map_err(|error| odd(&error.to_string()))?;
        let told = (self.config.username.clone(), self.config.password.clone());
        let written = (percent_decode(url.username()), percent_decode(url.password().unwrap_or("")));
        let (username, password) = if told == Default::default() { written } else { told };
        let is_stripped = url.set_username("").is_ok() && url.set_password(None).is_ok();
        if !is_stripped || url.host_str().is_none_or(str::is_empty) {
            return Err(odd("there is no host in it"));
        }
        if !username.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(odd("few servers know the way in which the native RTSP engine tells such a user name"));
        }
        let is_open = username.is_empty() && password.is_empty();
        Ok((url, (!is_open).then_some(Credentials { username, password })))
    }

    /// Connects to the first address that lets us, and asks for the session description.
    fn describe(
        &self,
        tasks: &Tasks,
        url: Url,
        credentials: Option<Credentials>,
        group: &Arc<SessionGroup>,
    ) -> std::result::Result<DescribedSession, Refusal> {
        let options = SessionOptions::default()
            .creds(credentials)
            .user_agent(concat!("mpegclient/", env!("CARGO_PKG_VERSION")).to_owned())
            .session_group(Arc::clone(group))
            // Some servers name a new one in each answer.
            .session_id(SessionIdPolicy::UseFirst);
        self.step(tasks, Step::Describe, DescribedSession::describe(url, options))
    }

    /// The first video stream.
    fn choose(&self, described: &DescribedSession) -> std::result::Result<Stream, Refusal> {
        let mut streams = described.streams().iter().enumerate();
        let Some((index, stream)) = streams.find(|(_, stream)| stream.media() == "video") else {
            return Err(self.refusal(Status::NoVideo, Phase::Probe, "the session description has no video"));
        };
        let description = String::from_utf8_lossy(described.sdp());
        Ok(Stream {
            index,
            encoding_name: stream.encoding_name().to_owned(),
            payload_type: stream.rtp_payload_type(),
            clock_rate: stream.clock_rate_hz(),
            parameters: sdp::format_parameters(&description, stream.rtp_payload_type()).to_owned(),
        })
    }

    /// Has the server prepare the stream that is wanted.
    fn set_up(&self, tasks: &Tasks, described: &mut DescribedSession) -> std::result::Result<Stream, Refusal> {
        let stream = self.choose(described)?;
        let tcp = || Transport::Tcp(TcpTransportOptions::default());
        let udp = || Transport::Udp(UdpTransportOptions::default());
        let first = if self.config.transport == "udp" { udp() } else { tcp() };
        let setup = described.setup(stream.index, SetupOptions::default().transport(first));
        match self.step(tasks, Step::Setup, setup) {
            Err(refusal) if self.may_use_udp(&refusal) => {
                let setup = described.setup(stream.index, SetupOptions::default().transport(udp()));
                self.step(tasks, Step::Setup, setup)?;
            }
            other => other?,
        }
        Ok(stream)
    }

    fn play(
        &self,
        tasks: &Tasks,
        described: DescribedSession,
    ) -> std::result::Result<retina::client::Session<Playing>, Refusal> {
        // What servers say of the first sequence number is often not true.
        let options = PlayOptions::default().initial_seq(InitialSequenceNumberPolicy::Ignore);
        self.step(tasks, Step::Play, described.play(options))
    }

    /// Where the server refuses TCP, libavformat is the better one for UDP: it puts packets back in order.
    fn may_use_udp(&self, refusal: &Refusal) -> bool {
        let is_refused = refusal.error.protocol_status == i32::from(UNSUPPORTED_TRANSPORT);
        is_refused && self.config.transport == "auto" && self.config.rtsp_engine == RtspEngine::Native
    }

    /// Does one step.
    fn step<T>(
        &self,
        tasks: &Tasks,
        step: Step,
        work: impl Future<Output = std::result::Result<T, retina::Error>>,
    ) -> std::result::Result<T, Refusal> {
        match tasks.run(self.watch, work) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Failure::of(&error).while_opening(step, self.config)),
            Err(interruption) => Err(self.interrupted(interruption)),
        }
    }

    fn interrupted(&self, interruption: Interruption) -> Refusal {
        match interruption {
            Interruption::Expired(Expiry::Stopped) => self.refusal(Status::Stopped, Phase::Connect, "asked to stop"),
            Interruption::Expired(Expiry::Deadline) => {
                self.refusal(Status::Timeout, Phase::Connect, "no answer in time")
            }
            Interruption::Panicked => self.refusal(Status::BadData, Phase::Setup, PANICKED).for_other(),
        }
    }

    fn refusal(&self, status: Status, phase: Phase, text: &str) -> Refusal {
        let text = redact_failure(&self.config.url, text, &self.config.secrets);
        let may_help = !matches!(status, Status::NoVideo | Status::InvalidArgument | Status::Stopped);
        Refusal { error: Error::new(status, text).in_phase(phase).retryable(may_help), is_for_other: false }
    }
}

impl Refusal {
    fn for_other(mut self) -> Self {
        self.is_for_other = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_engine_and_leaves_it_usable() {
        let (tasks, watch) = (Tasks::new().expect("a runtime"), Watch::default());
        let surprise = async { "no number".parse::<u8>().expect("a surprise") };
        assert_eq!(tasks.run(&watch, surprise), Err(Interruption::Panicked));
        assert_eq!(tasks.run(&watch, async { 5 }), Ok(5));
    }

    #[test]
    fn packets_of_other_sources_are_passed_over_while_the_own_one_lasts() {
        let (mut others, begin) = (OtherSources::new(), Instant::now());
        let at = |ms: u64| begin + Duration::from_millis(ms);
        assert!(!others.may_ignore("Out-of-order packet or large loss", at(0)));
        for ms in (0..2_000).step_by(40) {
            others.note_own(at(ms));
            assert!((0..20).all(|n| others.may_ignore("wrong ssrc after 7 RTP pkts", at(ms + n))));
        }
        assert!((2_000..2_200).all(|ms| others.may_ignore("wrong ssrc", at(ms))));
        assert!(!others.may_ignore("wrong ssrc", at(2_300)), "the stream goes on under another SSRC");
    }

    /// Like a session, it needs the runtime when it is dropped.
    struct Dependent(Arc<std::sync::atomic::AtomicBool>);

    impl Drop for Dependent {
        fn drop(&mut self) {
            self.0.store(tokio::runtime::Handle::try_current().is_ok(), std::sync::atomic::Ordering::SeqCst);
        }
    }

    #[test]
    fn what_is_interrupted_is_dropped_within_the_runtime() {
        let (tasks, watch, had_runtime) = (Tasks::new().expect("a runtime"), Watch::default(), Arc::default());
        watch.allow_ms(1);
        let dependent = Dependent(Arc::clone(&had_runtime));
        let endless = async move {
            let _kept = dependent;
            std::future::pending::<()>().await;
        };
        assert_eq!(tasks.run(&watch, endless), Err(Interruption::Expired(Expiry::Deadline)));
        assert!(had_runtime.load(std::sync::atomic::Ordering::SeqCst));
    }

    #[test]
    fn work_that_never_pauses_is_ended_in_time() {
        let (tasks, watch) = (Tasks::new().expect("a runtime"), Watch::default());
        watch.allow_ms(20);
        let restless = poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!(tasks.run(&watch, restless), Err(Interruption::Expired(Expiry::Deadline)));
        watch.stop();
        assert_eq!(tasks.run(&watch, async {}), Err(Interruption::Expired(Expiry::Stopped)));
    }
}
