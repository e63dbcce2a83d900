using System;
using System.Runtime.InteropServices;

namespace MpegClient
{
    /// <summary>What belongs to the library as a whole.</summary>
    public static class Library
    {
        /// <summary>A time in nanoseconds that is not known.</summary>
        public const long UnknownTime = long.MinValue;

        // One for the life of the process: threads of the library may be on their way into it at any time, so that
        // it must never be collected.
        private static readonly LogCallback logCallback = ReceiveLine;
        private static volatile Action<LogLevel, string> logHandler;

        /// <summary>Version of the loaded library, such as "0.1.0".</summary>
        public static string Version => Utf8.From(Native.mpegclient_version());

        /// <summary>The same as one number: major * 1000000 + minor * 1000 + patch.</summary>
        public static uint VersionNumber => Native.mpegclient_version_number();

        /// <summary>ABI number of the loaded library; it must be at least RequiredAbiVersion.</summary>
        public static uint AbiVersion => Native.mpegclient_abi_version();

        /// <summary>ABI number of the header that this assembly was written with.</summary>
        public static uint RequiredAbiVersion => Native.AbiVersion;

        /// <summary>One line on how the library was built: its version, FFmpeg's versions and licence.</summary>
        public static string BuildInfo => Utf8.From(Native.mpegclient_build_info());

        /// <summary>Says in one sentence what a status means.</summary>
        public static string Describe(Status status) => Utf8.From(Native.mpegclient_status_string((int)status));

        /// <summary>Says in a few words what a state means.</summary>
        public static string Describe(State state) => Utf8.From(Native.mpegclient_state_string((int)state));

        /// <summary>Says in a few words what a phase means.</summary>
        public static string Describe(Phase phase) => Utf8.From(Native.mpegclient_phase_string((int)phase));

        /// <summary>Sets how much is logged, for the whole process; without a callback to the standard error stream.</summary>
        public static void SetLogLevel(LogLevel level) => Calls.Check(Native.mpegclient_set_log_level((int)level));

        /// <summary>
        /// Has a function receive the log lines, for the whole process, instead of the one before; null: the standard
        /// error stream. It is called on any thread, also on several at once, and must not call the library or throw.
        /// </summary>
        public static void SetLogCallback(Action<LogLevel, string> callback)
        {
            // Kept after null: a line on its way may still reach it.
            if (callback != null)
                logHandler = callback;
            Calls.Check(Native.mpegclient_set_log_callback(callback == null ? null : logCallback, IntPtr.Zero));
        }

        private static void ReceiveLine(int level, IntPtr line, IntPtr userData) =>
            logHandler((LogLevel)level, Utf8.From(line));

        /// <summary>
        /// A text without the credentials in it. Of addresses it keeps scheme, host, port, path and harmless values of the
        /// query; what is hidden becomes "***". The texts of this library have been through it already.
        /// </summary>
        public static string Redact(string text)
        {
            var bytes = Utf8.ToC(text, nameof(text));
            return Utf8.Read((byte[] buffer, UIntPtr size, out UIntPtr needed) =>
                Native.mpegclient_redact(bytes, buffer, size, out needed));
        }

        /// <summary>The table of parameters.</summary>
        public static ParameterInfo[] Parameters()
        {
            var table = new ParameterInfo[(int)Native.mpegclient_parameter_count()];
            for (int index = 0; index < table.Length; index++)
            {
                table[index].StructSize = (uint)Marshal.SizeOf<ParameterInfo>();
                Calls.Check(Native.mpegclient_parameter_describe(new UIntPtr((uint)index), ref table[index]));
            }
            return table;
        }
    }
}
