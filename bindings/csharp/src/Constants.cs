// The numbers of the C header, one enumeration for each group: MPEGCLIENT_STATE_RUNNING is State.Running. A library newer
// than this file may return numbers that are not listed here; treat them as unknown.

using System;

namespace MpegClient
{
    /// <summary>How a call ended; <see cref="MpegClientException.Status"/> of those that failed.</summary>
    public enum Status
    {
        Ok = 0,
        /// <summary>The message names the argument, its value and what was expected.</summary>
        InvalidArgument = -1,
        /// <summary>No parameter has this name.</summary>
        UnknownParameter = -2,
        /// <summary>A buffer is too small; the message tells the size needed.</summary>
        BufferTooSmall = -3,
        /// <summary>The call does not fit the client's state.</summary>
        BadState = -20,
        /// <summary>Another thread is in Setup, Start, Terminate or Clear of this client.</summary>
        Busy = -21,
        /// <summary>The client was made before fork and cannot be used in the child.</summary>
        Forked = -22,
        /// <summary>The time allowed ran out. The stream may still be well.</summary>
        Timeout = -40,
        /// <summary>The newest frame is older than allowed.</summary>
        Stale = -41,
        /// <summary>The stream is not started, or was terminated.</summary>
        Stopped = -42,
        /// <summary>The stream came to its end and has no frame left for this call.</summary>
        Ended = -43,
        /// <summary>Interrupt is on, or the client is being disposed of.</summary>
        Interrupted = -44,
        /// <summary>Never seen by callers: it becomes an OperationCanceledException.</summary>
        Cancelled = -45,
        /// <summary>The frame asked for is not in the ring.</summary>
        NoFrame = -46,
        /// <summary>Never seen by callers: NextEvent gives null.</summary>
        NoEvent = -47,
        /// <summary>The stream has failed for good; LastFailure tells why.</summary>
        Failed = -60,
        /// <summary>The host name could not be resolved.</summary>
        ResolveFailed = -61,
        /// <summary>Nothing listens at the address.</summary>
        Refused = -62,
        /// <summary>The network does not reach the server.</summary>
        Unreachable = -63,
        /// <summary>The server wants other credentials (401, 403).</summary>
        Unauthorized = -64,
        /// <summary>The server or the file system has no such stream (404).</summary>
        NotFound = -65,
        /// <summary>The server closed or lost the connection.</summary>
        ServerGone = -66,
        /// <summary>No packet came within the parameter stall_timeout.</summary>
        Stalled = -67,
        /// <summary>The source has no video stream.</summary>
        NoVideo = -68,
        /// <summary>This build of FFmpeg lacks the protocol, format or decoder.</summary>
        Unsupported = -69,
        /// <summary>The data could not be understood.</summary>
        BadData = -70,
        /// <summary>Reading failed in another way.</summary>
        Io = -71,
        /// <summary>The server's certificate cannot be verified.</summary>
        Untrusted = -72,
        /// <summary>Memory could not be had.</summary>
        OutOfMemory = -80,
        /// <summary>The operating system refused a thread, a descriptor or a mapping.</summary>
        System = -81,
        /// <summary>A defect in the library was caught. The client is Failed; please report it.</summary>
        Internal = -90,
    }

    /// <summary>Where a client stands.</summary>
    public enum State
    {
        Idle = 0,
        Connecting = 1,
        Ready = 2,
        WaitingKeyframe = 3,
        Running = 4,
        Stalled = 5,
        Reconnecting = 6,
        Stopped = 7,
        Ended = 8,
        Failed = 9,
    }

    /// <summary>The step of a stream's life in which something failed.</summary>
    public enum Phase
    {
        None = 0,
        Resolve = 1,
        Connect = 2,
        Auth = 3,
        Setup = 4,
        Probe = 5,
        Read = 6,
        Decode = 7,
        Convert = 8,
    }

    /// <summary>Which frames a read gives: the newest, or the oldest after a number, for reading without loss.</summary>
    public enum Order
    {
        Latest = 0,
        Next = 1,
    }

    /// <summary>Order of the channels, 8 bits each.</summary>
    public enum PixelFormat
    {
        Rgb24 = 0,
        Bgr24 = 1,
        Rgba = 2,
        Gray8 = 3,
    }

    /// <summary>Where frames lie.</summary>
    public enum Device
    {
        Cpu = 0,
    }

    /// <summary>Where a frame's time of capture comes from.</summary>
    public enum CaptureClock
    {
        None = 0,
        /// <summary>The sender's RTCP reports (RFC 3550, section 6.4.1).</summary>
        Rtcp = 1,
    }

    /// <summary>What happened to a stream.</summary>
    public enum EventKind
    {
        /// <summary>Value is the state before.</summary>
        StateChanged = 1,
        /// <summary>The source's pictures changed in size, format or codec; Text says to what.</summary>
        FormatChanged = 2,
        /// <summary>A lost stream is connected again.</summary>
        Reconnected = 3,
        /// <summary>Frames were dropped because readers hold all the memory they may; Value is how many.</summary>
        FramesDropped = 4,
        /// <summary>Events were lost because nobody took them; Value is how many.</summary>
        QueueOverflow = 5,
        /// <summary>The stream shows no key frame: its frames stay marked as corrupt, also where they look right; Text says why.</summary>
        NoKeyFrame = 6,
        /// <summary>The timestamps of a live stream do not keep pace with arrival, which decides in their place; Value is 0 once they do.</summary>
        ClockUnreliable = 7,
    }

    /// <summary>What values a parameter takes.</summary>
    public enum ParameterKind
    {
        Text = 0,
        Secret = 1,
        Integer = 2,
        Rational = 3,
        Choice = 4,
        /// <summary>RRGGBB in hexadecimal digits.</summary>
        Color = 5,
    }

    /// <summary>When a change of a parameter counts: at the next setup, or at the next call that uses it.</summary>
    public enum Scope
    {
        Setup = 0,
        Now = 1,
    }

    /// <summary>How much is logged; each level includes those before it.</summary>
    public enum LogLevel
    {
        Quiet = 0,
        Error = 1,
        Warning = 2,
        Info = 3,
        Debug = 4,
    }

    /// <summary>Properties of a frame.</summary>
    [Flags]
    public enum FrameFlags : uint
    {
        /// <summary>It was decoded from a key frame.</summary>
        Key = 1,
        /// <summary>The picture is damaged or may be.</summary>
        Corrupt = 2,
        /// <summary>Frames that should lie before this one were dropped or lost.</summary>
        GapBefore = 4,
        /// <summary>The picture is a repetition of the one before.</summary>
        Repeated = 8,
    }

    /// <summary>What a read may do beyond the ordinary.</summary>
    [Flags]
    public enum ReadFlags : uint
    {
        /// <summary>The batch may hold frames of several connections.</summary>
        MixGenerations = 1,
    }

    /// <summary>Properties of a batch.</summary>
    [Flags]
    public enum BatchFlags : uint
    {
        /// <summary>The frames came over several connections.</summary>
        MixedGenerations = 1,
        /// <summary>None is missing between them, and all lie about equally far apart.</summary>
        Uniform = 2,
    }
}
