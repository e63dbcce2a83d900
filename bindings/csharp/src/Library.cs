using System;
using System.Runtime.InteropServices;

namespace MpegClient
{
    /// <summary>What belongs to the library as a whole.</summary>
    public static class Library
    {
        /// <summary>A time in nanoseconds that is not known.</summary>
        public const long UnknownTime = long.MinValue;

        // The library calls it, so that it must not be collected.
        private static LogCallback logCallback;

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
            LogCallback next = null;
            if (callback != null)
                next = (level, line, _) => callback((LogLevel)level, Utf8.From(line));
            var before = logCallback;
            Calls.Check(Native.mpegclient_set_log_callback(next, IntPtr.Zero));
            logCallback = next;
            GC.KeepAlive(before);
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
