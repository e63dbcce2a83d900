// The functions of the C header, one line each as the header has them: the tests compare word by word.

using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MpegClient
{
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void LogCallback(int level, IntPtr line, IntPtr userData);

    /// <summary>A stream of the library. The runtime frees it after the last call that uses it.</summary>
    internal sealed class ClientHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private ClientHandle() : base(true) { }

        protected override bool ReleaseHandle()
        {
            Native.mpegclient_free(handle);
            return true;
        }
    }

    /// <summary>A cancel token of the library. The runtime frees it after the last call that uses it.</summary>
    internal sealed class CancelHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        /// <summary>NULL.</summary>
        internal static readonly CancelHandle None = new CancelHandle();

        private CancelHandle() : base(true) { }

        protected override bool ReleaseHandle()
        {
            Native.mpegclient_cancel_free(handle);
            return true;
        }
    }

    internal static unsafe class Native
    {
        private const string Library = "libmpegclient.so.0";
        private const CallingConvention C = CallingConvention.Cdecl;

        // Of the header this was written with.
        internal const uint AbiVersion = 1;

        [DllImport(Library, CallingConvention = C)] internal static extern uint mpegclient_version_number();
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr mpegclient_version();
        [DllImport(Library, CallingConvention = C)] internal static extern uint mpegclient_abi_version();
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr mpegclient_build_info();
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr mpegclient_status_string(int status);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr mpegclient_state_string(int state);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr mpegclient_phase_string(int phase);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_redact(byte[] text, byte[] buffer, UIntPtr bufferSize, out UIntPtr needed);
        [DllImport(Library, CallingConvention = C)] internal static extern IntPtr mpegclient_last_error();
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_thread_error(ref Failure error);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_set_log_level(int level);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_set_log_callback(LogCallback callback, IntPtr userData);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_set_parameter(ClientHandle client, byte[] key, byte[] value);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_set_parameter_int(ClientHandle client, byte[] key, long value);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_get_parameter(ClientHandle client, byte[] key, byte[] buffer, UIntPtr bufferSize, out UIntPtr needed);
        [DllImport(Library, CallingConvention = C)] internal static extern UIntPtr mpegclient_parameter_count();
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_parameter_describe(UIntPtr index, ref ParameterInfo info);
        [DllImport(Library, CallingConvention = C)] internal static extern ClientHandle mpegclient_new();
        [DllImport(Library, CallingConvention = C)] internal static extern void mpegclient_free(IntPtr client);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_setup(ClientHandle client, byte[] url, long timeoutMs, CancelHandle cancel);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_start(ClientHandle client);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_terminate(ClientHandle client);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_clear(ClientHandle client);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_interrupt(ClientHandle client, int on);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_state(ClientHandle client, out int state);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_stream_info(ClientHandle client, ref StreamInfo info);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_stats(ClientHandle client, ref Stats stats);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_client_error(ClientHandle client, ref Failure error);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_describe(ClientHandle client, byte[] buffer, UIntPtr bufferSize, out UIntPtr needed);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_output_shape(ClientHandle client, long timeoutMs, CancelHandle cancel, out uint height, out uint width, out uint channels, out UIntPtr frameBytes);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_wait(ClientHandle client, ulong afterSeq, long timeoutMs, CancelHandle cancel, out ulong newest);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_extract_frames(ClientHandle client, ref NativeReadOptions options, byte* buffer, UIntPtr bufferSize, FrameInfo* infos, UIntPtr infoSize, ref BatchInfo batch);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_frame_info(ClientHandle client, ulong seq, FrameInfo* info, UIntPtr infoSize);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_acquire_frames(ClientHandle client, ref NativeReadOptions options, out Lease lease, FrameInfo* infos, UIntPtr infoSize, ref BatchInfo batch);
        [DllImport(Library, CallingConvention = C)] internal static extern void mpegclient_lease_release(IntPtr lease);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_next_event(ClientHandle client, ref Event @event);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_event_fd(ClientHandle client, out int descriptor);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_event_arm(ClientHandle client, ulong afterSeq);
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_wait_any(IntPtr[] clients, ulong[] afterSeqs, UIntPtr count, long timeoutMs, CancelHandle cancel, out UIntPtr index);
        [DllImport(Library, CallingConvention = C)] internal static extern CancelHandle mpegclient_cancel_new();
        [DllImport(Library, CallingConvention = C)] internal static extern int mpegclient_cancel_trigger(CancelHandle cancel);
        // Each call has a token of its own: none is ever used again.
        // Not bound: mpegclient_cancel_reset
        [DllImport(Library, CallingConvention = C)] internal static extern void mpegclient_cancel_free(IntPtr cancel);
    }
}
