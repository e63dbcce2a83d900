//! An RTSP session of retina's, run in the thread that wants its packets: every step ends when the watch says so.

use super::Refusal;
use super::failure::{Failure, Step};
use crate::cancel::{Expiry, Watch};
use crate::config::{Config, RtspEngine};
use crate::error::{Error, Phase, Status};
use crate::redact::{percent_decode, redact_with};
use crate::rtp::sdp;
use futures_core::Stream as _;
use retina::client::{
    Credentials, Described, InitialSequenceNumberPolicy, PacketItem, PlayOptions, Playing, SessionGroup,
    SessionIdPolicy, SessionOptions, SetupOptions, TcpTransportOptions, Transport, UdpTransportOptions,
};
use retina::rtp::ReceivedPacket;
use std::future::{Future, poll_fn};
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// How often it is looked at whether the stream has stalled, while nothing comes. Longer than most streams are silent
/// between two pictures, so that a stream that is well wakes its thread for nothing but packets.
const TICK: Duration = Duration::from_millis(250);

/// How long a server may take to confirm that the session is over.
const FAREWELL: Duration = Duration::from_millis(100);

const PORT: u16 = 554;

/// What an RTSP server answers where it does not know the transport: RFC 2326, section 7.1.1.
const UNSUPPORTED_TRANSPORT: u16 = 461;

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
    Expired(Expiry),
    Closed,
    Failed(retina::Error),
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
    runtime: Runtime,
    /// There until it is dropped.
    playing: Option<retina::client::Session<Playing>>,
    /// Tells when the server has confirmed the end.
    group: Arc<SessionGroup>,
    stream: Stream,
}

impl Session {
    /// Connects, and has the first video stream played.
    pub(super) fn open(config: &Config, watch: &Watch) -> std::result::Result<Self, Refusal> {
        let opening = Opening { config, watch };
        let (url, credentials) = opening.address()?;
        // Not interruptible, and before the watch is first asked: whoever waits leaves this thread behind.
        let addresses = opening.resolve(&url)?;
        // From here on every step can be interrupted, which this tells whoever ends it.
        watch.poll();
        let runtime = opening.runtime()?;
        let group = Arc::new(SessionGroup::default());
        let described = opening.describe(&runtime, &url, credentials, &addresses, &group)?;
        let stream = opening.choose(&described)?;
        let playing = opening.play(&runtime, described, &stream)?;
        Ok(Self { runtime, playing: Some(playing), group, stream })
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
            if let Some(expiry) = watch.expiry() {
                return Err(Stop::Expired(expiry));
            }
            let next = poll_fn(|context| Pin::new(&mut *playing).poll_next(context));
            match run(&self.runtime, watch, next).map_err(Stop::Expired)? {
                None => return Err(Stop::Closed),
                Some(Err(error)) => return Err(Stop::Failed(error)),
                Some(Ok(PacketItem::Rtp(packet))) => return Ok(Item::Packet(packet)),
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
    /// Tells the server, but does not wait long for its answer.
    fn drop(&mut self) {
        let (playing, group) = (self.playing.take(), Arc::clone(&self.group));
        self.runtime.block_on(async {
            // Has to be dropped within the runtime, where it says farewell.
            drop(playing);
            let _ = tokio::time::timeout(FAREWELL, group.await_teardown()).await;
        });
    }
}

/// Does something until it is done, or until the watch says that it must end.
fn run<T>(runtime: &Runtime, watch: &Watch, work: impl Future<Output = T>) -> std::result::Result<T, Expiry> {
    runtime.block_on(async {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = stopped(watch) => {}
                () = tokio::time::sleep(TICK.min(watch.remaining())) => {}
            }
            if let Some(expiry) = watch.poll() {
                return Err(expiry);
            }
        }
    })
}

/// Waits until the watch is stopped.
async fn stopped(watch: &Watch) {
    poll_fn(|context| {
        watch.wake_on_stop(context.waker());
        if watch.is_stopped() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
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

    fn resolve(&self, url: &Url) -> std::result::Result<Vec<SocketAddr>, Refusal> {
        let host = url.host_str().unwrap_or("").trim_start_matches('[').trim_end_matches(']');
        let addresses = (host, url.port().unwrap_or(PORT)).to_socket_addrs().map(Vec::from_iter);
        addresses.map_err(|error| {
            let text = error.to_string();
            self.refusal(Status::ResolveFailed, Phase::Resolve, &text)
        })
    }

    fn runtime(&self) -> std::result::Result<Runtime, Refusal> {
        let made = Builder::new_current_thread().enable_all().build();
        made.map_err(|error| self.refusal(Status::System, Phase::Connect, &error.to_string()))
    }

    /// Connects to the first address that lets us, and asks for the session description.
    fn describe(
        &self,
        runtime: &Runtime,
        url: &Url,
        credentials: Option<Credentials>,
        addresses: &[SocketAddr],
        group: &Arc<SessionGroup>,
    ) -> std::result::Result<DescribedSession, Refusal> {
        let mut refusal = self.refusal(Status::ResolveFailed, Phase::Resolve, "the name has no address");
        for address in addresses {
            let mut url = url.clone();
            if url.set_ip_host(address.ip()).is_err() {
                continue;
            }
            let options = SessionOptions::default()
                .creds(credentials.clone())
                .user_agent(concat!("mpegclient/", env!("CARGO_PKG_VERSION")).to_owned())
                .session_group(Arc::clone(group))
                // Some servers name a new one in each answer.
                .session_id(SessionIdPolicy::UseFirst);
            match self.step(runtime, Step::Describe, DescribedSession::describe(url, options)) {
                Ok(described) => return Ok(described),
                Err((failed, is_connected)) => {
                    refusal = failed;
                    if is_connected {
                        break;
                    }
                }
            }
        }
        Err(refusal)
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

    fn play(
        &self,
        runtime: &Runtime,
        mut described: DescribedSession,
        stream: &Stream,
    ) -> std::result::Result<retina::client::Session<Playing>, Refusal> {
        let tcp = || Transport::Tcp(TcpTransportOptions::default());
        let udp = || Transport::Udp(UdpTransportOptions::default());
        let first = if self.config.transport == "udp" { udp() } else { tcp() };
        let setup = described.setup(stream.index, SetupOptions::default().transport(first));
        match self.step(runtime, Step::Setup, setup) {
            Err((refusal, _)) if self.may_use_udp(&refusal) => {
                let setup = described.setup(stream.index, SetupOptions::default().transport(udp()));
                self.step(runtime, Step::Setup, setup).map_err(|(refusal, _)| refusal)?;
            }
            other => other.map_err(|(refusal, _)| refusal)?,
        }
        // What servers say of the first sequence number is often not true.
        let options = PlayOptions::default().initial_seq(InitialSequenceNumberPolicy::Ignore);
        self.step(runtime, Step::Play, described.play(options)).map_err(|(refusal, _)| refusal)
    }

    /// Where the server refuses TCP, libavformat is the better one for UDP: it puts packets back in order.
    fn may_use_udp(&self, refusal: &Refusal) -> bool {
        let is_refused = refusal.error.protocol_status == i32::from(UNSUPPORTED_TRANSPORT);
        is_refused && self.config.transport == "auto" && self.config.rtsp_engine == RtspEngine::Native
    }

    /// Does one step; its failure comes with whether there was a connection.
    fn step<T>(
        &self,
        runtime: &Runtime,
        step: Step,
        work: impl Future<Output = std::result::Result<T, retina::Error>>,
    ) -> std::result::Result<T, (Refusal, bool)> {
        match run(runtime, self.watch, work) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                let failure = Failure::of(&error);
                Err((failure.while_opening(step, self.config), failure.is_connected()))
            }
            Err(expiry) => Err((self.expired(expiry), true)),
        }
    }

    fn expired(&self, expiry: Expiry) -> Refusal {
        match expiry {
            Expiry::Stopped => self.refusal(Status::Stopped, Phase::Connect, "asked to stop"),
            Expiry::Deadline => self.refusal(Status::Timeout, Phase::Connect, "no answer in time"),
        }
    }

    fn refusal(&self, status: Status, phase: Phase, text: &str) -> Refusal {
        let text = redact_with(&format!("{}: {text}", self.config.url), &self.config.secrets);
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
