// The structs of the C header. They lie in memory as they do in C, which the tests assert, so that the library fills them
// in place: an automatic property is a member of the C struct, in the same order.

using System;
using System.Runtime.InteropServices;

namespace MpegClient
{
    /// <summary>What is known of one frame.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct FrameInfo
    {
        /// <summary>1 for the first that a client ever publishes, then one more for each.</summary>
        public ulong Seq { get; private set; }
        /// <summary>Connection that it came over, counted from 1.</summary>
        public ulong Generation { get; private set; }
        /// <summary>Presentation time by the stream's own clock, nanoseconds, or Library.UnknownTime.</summary>
        public long PtsNs { get; private set; }
        /// <summary>When the sender captured it, nanoseconds since 1970 by the sender's clock, or Library.UnknownTime.</summary>
        public long CaptureTimeNs { get; private set; }
        /// <summary>When its packet arrived, nanoseconds since 1970 by the local clock.</summary>
        public long ArrivalTimeNs { get; private set; }
        /// <summary>The same, nanoseconds of CLOCK_MONOTONIC.</summary>
        public long ArrivalMonotonicNs { get; private set; }
        /// <summary>When it was decoded, nanoseconds of CLOCK_MONOTONIC.</summary>
        public long DecodedMonotonicNs { get; private set; }
        /// <summary>When it became readable, nanoseconds of CLOCK_MONOTONIC.</summary>
        public long PublishedMonotonicNs { get; private set; }
        /// <summary>Where CaptureTimeNs comes from.</summary>
        public CaptureClock CaptureClock { get; private set; }
        /// <summary>What is to be said of the picture.</summary>
        public FrameFlags Flags { get; private set; }
        /// <summary>Width of the decoded picture before scaling, pixels.</summary>
        public uint SourceWidth { get; private set; }
        /// <summary>Height of the decoded picture before scaling, pixels.</summary>
        public uint SourceHeight { get; private set; }
        private fixed double toSource[6];

        /// <summary>Leads from a point of the frame to the same point of the decoded picture, both in pixels:
        /// x' = a*x + b*y + c and y' = d*x + e*y + f, as { a, b, c, d, e, f }.</summary>
        public double[] ToSource
        {
            get
            {
                var matrix = new double[6];
                fixed (double* from = toSource) Marshal.Copy((IntPtr)from, matrix, 0, matrix.Length);
                return matrix;
            }
        }

        /// <summary>Presentation time by the stream's own clock; null if it is not known.</summary>
        public TimeSpan? Pts => Time.Span(PtsNs);
        /// <summary>When the sender captured it, by the sender's clock; null if it is not known.</summary>
        public DateTimeOffset? CaptureTime => Time.Wall(CaptureTimeNs);
        /// <summary>When its packet arrived, by the local clock.</summary>
        public DateTimeOffset? ArrivalTime => Time.Wall(ArrivalTimeNs);
    }

    /// <summary>What was read: consecutive frames, oldest first, as an array (Count, Height, Width, Channels).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BatchInfo
    {
        internal uint StructSize { get; set; }
        /// <summary>Frames in the batch.</summary>
        public uint Count { get; private set; }
        internal IntPtr Data { get; private set; }
        /// <summary>Bytes that a buffer must have for the count asked for.</summary>
        public ulong BufferNeeded { get; private set; }
        /// <summary>Rows of a frame.</summary>
        public uint Height { get; private set; }
        /// <summary>Pixels of a row.</summary>
        public uint Width { get; private set; }
        /// <summary>Bytes of a pixel.</summary>
        public uint Channels { get; private set; }
        /// <summary>Order of the channels.</summary>
        public PixelFormat PixelFormat { get; private set; }
        /// <summary>Bytes from one frame to the next.</summary>
        public ulong FrameStride { get; private set; }
        /// <summary>Bytes from one row to the next.</summary>
        public ulong RowStride { get; private set; }
        /// <summary>Where the frames lie.</summary>
        public Device Device { get; private set; }
        /// <summary>What is to be said of the batch.</summary>
        public BatchFlags Flags { get; private set; }
        /// <summary>Number of the first frame; those after it have the numbers after it.</summary>
        public ulong FirstSeq { get; private set; }
        /// <summary>Connection that the newest frame came over, counted from 1.</summary>
        public ulong Generation { get; private set; }
        /// <summary>Nanoseconds since the newest frame's packet arrived, or Library.UnknownTime.</summary>
        public long NewestAgeNs { get; private set; }
        /// <summary>Nanoseconds between the two frames that follow each other at the largest distance, or
        /// Library.UnknownTime.</summary>
        public long LargestGapNs { get; private set; }

        /// <summary>Time since the newest frame's packet arrived; null if it is not known.</summary>
        public TimeSpan? NewestAge => Time.Span(NewestAgeNs);
        /// <summary>Number of the newest frame; read on from here.</summary>
        public ulong LastSeq => FirstSeq + Count - 1;
    }

    /// <summary>What is known of the stream that is connected.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct StreamInfo
    {
        internal uint StructSize { get; set; }
        /// <summary>Index of the video stream within the source.</summary>
        public uint StreamIndex { get; private set; }
        /// <summary>Width of the source's picture in pixels; 0 while not known.</summary>
        public uint Width { get; private set; }
        /// <summary>Height of the source's picture in pixels; 0 while not known.</summary>
        public uint Height { get; private set; }
        /// <summary>Declared frame rate, upper part; 0 if none is declared. Declared rates are often wrong.</summary>
        public uint FrameRateNum { get; private set; }
        /// <summary>Declared frame rate, lower part.</summary>
        public uint FrameRateDen { get; private set; }
        /// <summary>Frames a second as measured over the last frames; 0 while not known.</summary>
        public double MeasuredFrameRate { get; private set; }
        private uint isLive;
        private uint isHdr;
        /// <summary>Width of a stored pixel over its height, upper part; 0 if not told.</summary>
        public uint SampleAspectNum { get; private set; }
        /// <summary>Width of a stored pixel over its height, lower part.</summary>
        public uint SampleAspectDen { get; private set; }
        private uint rotation;
        private uint isMirrored;
        /// <summary>Length in nanoseconds, or Library.UnknownTime.</summary>
        public long DurationNs { get; private set; }
        /// <summary>Connection that this describes, counted from 1.</summary>
        public ulong Generation { get; private set; }
        private fixed byte codec[32];
        private fixed byte pixelFormat[32];
        private fixed byte container[32];
        private fixed byte colorMatrix[32];
        private fixed byte colorRange[32];
        private fixed byte colorPrimaries[32];
        private fixed byte colorTransfer[32];
        private fixed byte engine[16];

        /// <summary>A live stream, not a file, which ends.</summary>
        public bool IsLive => isLive != 0;
        /// <summary>Length; null if it is not known.</summary>
        public TimeSpan? Duration => Time.Span(DurationNs);
        /// <summary>Name of the codec, such as "h264".</summary>
        public string Codec { get { fixed (byte* text = codec) return Utf8.From(text); } }
        /// <summary>Pixel format of the decoded pictures, such as "yuv420p"; empty while not known.</summary>
        public string PixelFormat { get { fixed (byte* text = pixelFormat) return Utf8.From(text); } }
        /// <summary>Container or session protocol, such as "rtsp" or "mpegts".</summary>
        public string Container { get { fixed (byte* text = container) return Utf8.From(text); } }
        /// <summary>Of high dynamic range (PQ or HLG); frames are not tone mapped. Null while not known.</summary>
        public bool? IsHdr => PixelFormat.Length == 0 ? null : (bool?)(isHdr != 0);
        /// <summary>Degrees clockwise that pictures are turned by: 0, 90, 180 or 270; null while not known.</summary>
        public uint? Rotation => rotation == uint.MaxValue ? null : (uint?)rotation;
        /// <summary>Pictures are mirrored left to right before they are turned; null while not known.</summary>
        public bool? IsMirrored => Rotation == null ? null : (bool?)(isMirrored != 0);
        /// <summary>Matrix between colours and brightness, such as "bt709"; empty while not known.</summary>
        public string ColorMatrix { get { fixed (byte* text = colorMatrix) return Utf8.From(text); } }
        /// <summary>"tv" for limited, "pc" for full; empty while not known.</summary>
        public string ColorRange { get { fixed (byte* text = colorRange) return Utf8.From(text); } }
        /// <summary>Primaries, such as "bt709"; empty while not known.</summary>
        public string ColorPrimaries { get { fixed (byte* text = colorPrimaries) return Utf8.From(text); } }
        /// <summary>Transfer function, such as "smpte2084"; empty while not known.</summary>
        public string ColorTransfer { get { fixed (byte* text = colorTransfer) return Utf8.From(text); } }
        /// <summary>What reads it: "libav", or "native" for the library's own RTSP engine.</summary>
        public string Engine { get { fixed (byte* text = engine) return Utf8.From(text); } }
    }

    /// <summary>Counters of one client since it was made; none is ever reset.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Stats
    {
        internal uint StructSize { get; set; }
        /// <summary>Slots of the ring; frame seq lies in slot seq % RingCapacity. 0 while there is no ring.</summary>
        public uint RingCapacity { get; private set; }
        /// <summary>Number of the newest frame; 0 if there never was one.</summary>
        public ulong NewestSeq { get; private set; }
        /// <summary>Number of the oldest readable frame; 0 if there is none.</summary>
        public ulong OldestSeq { get; private set; }
        /// <summary>Packets of the chosen video stream.</summary>
        public ulong Packets { get; private set; }
        /// <summary>Bytes of those packets.</summary>
        public ulong Bytes { get; private set; }
        /// <summary>Frames that came out of the decoder.</summary>
        public ulong Decoded { get; private set; }
        /// <summary>Packets or frames that the decoder refused or reported as damaged.</summary>
        public ulong DecodeErrors { get; private set; }
        /// <summary>Frames put into the ring.</summary>
        public ulong Published { get; private set; }
        /// <summary>Published frames marked corrupt.</summary>
        public ulong Corrupt { get; private set; }
        /// <summary>Frames left out to keep the frame rate asked for.</summary>
        public ulong DroppedByRate { get; private set; }
        /// <summary>Frames left out because readers held all the memory they may.</summary>
        public ulong DroppedByLease { get; private set; }
        /// <summary>Frames passed over to catch up after a start.</summary>
        public ulong DroppedAtStart { get; private set; }
        /// <summary>Connections made; the newest one's number is its generation.</summary>
        public ulong Connects { get; private set; }
        /// <summary>Attempts to connect.</summary>
        public ulong ConnectAttempts { get; private set; }
        /// <summary>Batches handed out.</summary>
        public ulong Reads { get; private set; }
        /// <summary>Frames handed out.</summary>
        public ulong FramesRead { get; private set; }
        /// <summary>Writer threads that hung in a system call and were left behind.</summary>
        public ulong AbandonedThreads { get; private set; }
        /// <summary>Leases that are out, now.</summary>
        public ulong Leases { get; private set; }
        /// <summary>Nanoseconds since the oldest of them was taken; 0 if there is none.</summary>
        public long OldestLeaseAgeNs { get; private set; }
        /// <summary>Rings kept in memory by readers only, now.</summary>
        public ulong OrphanedRings { get; private set; }
        /// <summary>Damaged frames left out, where the parameter corrupt is drop.</summary>
        public ulong DroppedCorrupt { get; private set; }
        /// <summary>From capture by the sender's clock to arrival by the local one, or Library.UnknownTime.</summary>
        public long ClockOffsetNs { get; private set; }
        /// <summary>How much that varies from frame to frame, or Library.UnknownTime.</summary>
        public long ClockJitterNs { get; private set; }
        /// <summary>Packets of the network that were lost, as far as the source can tell.</summary>
        public ulong LostPackets { get; private set; }
        /// <summary>Frames published once more to keep a constant rate.</summary>
        public ulong Repeated { get; private set; }
        /// <summary>Times that timestamps were found not to keep pace with arrival.</summary>
        public ulong ClockFaults { get; private set; }
    }

    /// <summary>The last failure of a client's stream, those in the background included.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Failure
    {
        internal uint StructSize { get; set; }
        /// <summary>What failed.</summary>
        public Status Status { get; private set; }
        /// <summary>The step that failed.</summary>
        public Phase Phase { get; private set; }
        /// <summary>libav's error code, 0 if libav was not involved.</summary>
        public int AvCode { get; private set; }
        /// <summary>RTSP or HTTP status that the server answered, 0 if not known.</summary>
        public int ProtocolStatus { get; private set; }
        private uint retryable;
        /// <summary>When it happened, nanoseconds since 1970 by the local clock.</summary>
        public long TimeNs { get; private set; }
        private fixed byte message[512];

        /// <summary>The same attempt may succeed later.</summary>
        public bool Retryable => retryable != 0;
        /// <summary>What happened, without credentials.</summary>
        public string Message { get { fixed (byte* text = message) return Utf8.From(text); } }
    }

    /// <summary>Something that happened to a stream.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Event
    {
        internal uint StructSize { get; set; }
        /// <summary>What happened.</summary>
        public EventKind Kind { get; private set; }
        /// <summary>The client's state after it.</summary>
        public State State { get; private set; }
        private uint reserved;
        /// <summary>When it happened, nanoseconds of CLOCK_MONOTONIC.</summary>
        public long MonotonicNs { get; private set; }
        /// <summary>Connection at the time, counted from 1; 0 before the first.</summary>
        public ulong Generation { get; private set; }
        /// <summary>What the kind says that it is; else 0.</summary>
        public long Value { get; private set; }
        private fixed byte text[128];

        /// <summary>What there is to say of it, without credentials; may be empty.</summary>
        public string Text { get { fixed (byte* bytes = text) return Utf8.From(bytes); } }
    }

    /// <summary>One row of the table of parameters.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct ParameterInfo
    {
        internal uint StructSize { get; set; }
        /// <summary>What values it takes.</summary>
        public ParameterKind Kind { get; private set; }
        /// <summary>When a change counts.</summary>
        public Scope Scope { get; private set; }
        private uint reserved;
        private byte* key;
        private byte* defaultValue;
        private byte* range;
        private byte* help;

        /// <summary>The name.</summary>
        public string Key => Utf8.From(key);
        /// <summary>The value while none is set.</summary>
        public string Default => Utf8.From(defaultValue);
        /// <summary>The values it takes, in words.</summary>
        public string Range => Utf8.From(range);
        /// <summary>What it does, in one sentence.</summary>
        public string Help => Utf8.From(help);
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeReadOptions
    {
        internal uint StructSize { get; set; }
        internal Order Order { get; set; }
        internal uint Count { get; set; }
        internal ReadFlags Flags { get; set; }
        internal ulong AfterSeq { get; set; }
        internal long TimeoutMs { get; set; }
        internal long MaxAgeMs { get; set; }
        private uint view;
        private uint reserved;
        internal IntPtr Cancel { get; set; }
    }
}
