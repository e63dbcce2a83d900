// What every call of the library goes through: texts, times, failures and cancelling.

using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace MpegClient
{
    /// <summary>A call of the library failed. The message has the library's own words, without credentials.</summary>
    public sealed class MpegClientException : Exception
    {
        private MpegClientException(Failure known, string message) : base(message)
        {
            Status = known.Status;
            Phase = known.Phase;
            AvCode = known.AvCode;
            ProtocolStatus = known.ProtocolStatus;
            Retryable = known.Retryable;
        }

        /// <summary>The last call on this thread, which failed.</summary>
        internal static MpegClientException OfThisThread()
        {
            var known = new Failure { StructSize = (uint)Marshal.SizeOf<Failure>() };
            Native.mpegclient_thread_error(ref known);
            return new MpegClientException(known, Utf8.From(Native.mpegclient_last_error()));
        }

        /// <summary>What failed, for <c>catch (MpegClientException e) when (e.Status == Status.Refused)</c>.</summary>
        public Status Status { get; }
        /// <summary>The step of the stream's life that failed; Phase.None for a failure of the call itself.</summary>
        public Phase Phase { get; }
        /// <summary>libav's error code, 0 if libav was not involved.</summary>
        public int AvCode { get; }
        /// <summary>RTSP or HTTP status that the server answered, 0 if not known.</summary>
        public int ProtocolStatus { get; }
        /// <summary>The same attempt may succeed later.</summary>
        public bool Retryable { get; }
    }

    internal static class Calls
    {
        /// <summary>Throws what a status stands for. To be called on the thread of the call, right after it.</summary>
        internal static void Check(int status)
        {
            if (status != (int)Status.Ok)
                throw MpegClientException.OfThisThread();
        }

        /// <summary>Runs a call that may wait, with a cancel token that is triggered with the caller's.</summary>
        internal static void Wait(CancellationToken cancellation, Func<CancelHandle, int> call)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!cancellation.CanBeCanceled)
            {
                Check(call(CancelHandle.None));
                return;
            }
            using (var cancel = Native.mpegclient_cancel_new())
            {
                if (cancel.IsInvalid)
                    throw new OutOfMemoryException();
                // Leaving waits for a trigger in progress.
                using (cancellation.Register(() => Native.mpegclient_cancel_trigger(cancel)))
                {
                    int status = call(cancel);
                    if (status == (int)Status.Cancelled)
                        throw new OperationCanceledException(cancellation);
                    Check(status);
                }
            }
        }
    }

    internal static unsafe class Utf8
    {
        internal static string From(IntPtr text) => From((byte*)text);

        internal static string From(byte* text)
        {
            int length = 0;
            while (text[length] != 0)
                length++;
            return Encoding.UTF8.GetString(text, length);
        }

        /// <summary>UTF-8 with its NUL.</summary>
        internal static byte[] ToC(string text, string argument)
        {
            if (text == null)
                throw new ArgumentNullException(argument);
            if (text.IndexOf('\0') >= 0)
                throw new ArgumentException("expected text without a NUL character", argument);
            return Encoding.UTF8.GetBytes(text + '\0');
        }

        internal delegate int Reader(byte[] buffer, UIntPtr size, out UIntPtr needed);

        /// <summary>Calls a function that fills a buffer, and again with a larger one while the text does not fit.</summary>
        internal static string Read(Reader read)
        {
            var needed = new UIntPtr(1024);
            while (true)
            {
                var buffer = new byte[(int)needed];
                int status = read(buffer, new UIntPtr((uint)buffer.Length), out needed);
                if (status == (int)Status.BufferTooSmall)
                    continue;
                Calls.Check(status);
                return Encoding.UTF8.GetString(buffer, 0, (int)needed - 1);
            }
        }
    }

    internal static class Time
    {
        private static readonly DateTimeOffset Epoch = new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero);

        // A tick is 100 ns.
        internal static TimeSpan? Span(long nanoseconds) =>
            nanoseconds == Library.UnknownTime ? (TimeSpan?)null : TimeSpan.FromTicks(nanoseconds / 100);

        internal static DateTimeOffset? Wall(long nanoseconds) => Epoch + Span(nanoseconds);

        /// <summary>Rounded up, so that a short time does not become none; -1 for no limit.</summary>
        internal static long Milliseconds(TimeSpan time, string argument)
        {
            if (time == Timeout.InfiniteTimeSpan)
                return -1;
            if (time < TimeSpan.Zero)
                throw new ArgumentOutOfRangeException(argument, time, "expected 0 or more, or Timeout.InfiniteTimeSpan");
            return time.Ticks / TimeSpan.TicksPerMillisecond + (time.Ticks % TimeSpan.TicksPerMillisecond > 0 ? 1 : 0);
        }
    }
}
