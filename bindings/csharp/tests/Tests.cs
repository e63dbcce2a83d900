// The tests of the binding against a real RTSP server: Tests.exe URL MUTE_URL REFUSED_URL, the addresses of a server that
// sends 320x240 at 25 frames a second, of one that accepts connections and never says a word, of a port where nothing
// listens. Prints each test's name and ends with 1 if one failed.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading;
using MpegClient;

[AttributeUsage(AttributeTargets.Method)]
sealed class TestAttribute : Attribute { }

static class Tests
{
    // Longer than anything takes on a loaded machine.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    const ulong Never = ulong.MaxValue - 1;

    static string stream, mute, refused;
    static int failed;

    static int Main(string[] arguments)
    {
        stream = arguments[0];
        mute = arguments[1];
        refused = arguments[2];
        var threads = typeof(Tests).GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
            .Where(method => method.GetCustomAttribute<TestAttribute>() != null)
            .Select(test => new Thread(() => Run(test))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return failed == 0 && threads.Count > 0 ? 0 : 1;
    }

    static void Run(MethodInfo test)
    {
        try
        {
            test.Invoke(null, null);
            Console.WriteLine("ok " + test.Name);
        }
        catch (TargetInvocationException failure)
        {
            Console.WriteLine($"FAILED {test.Name}: {failure.InnerException}");
            Interlocked.Increment(ref failed);
        }
    }

    static void Require(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException(what);
    }

    static T Throws<T>(Action action) where T : Exception
    {
        try
        {
            action();
        }
        catch (T expected)
        {
            return expected;
        }
        throw new InvalidOperationException($"no {typeof(T).Name}");
    }

    static void Fails(Status status, Action action)
    {
        var failure = Throws<MpegClientException>(action);
        Require(failure.Status == status, $"{failure.Status} ({failure.Message}), expected {status}");
        Require(failure.Message != "", "a failure without words");
    }

    static Client Running(params string[] parameters)
    {
        var client = new Client();
        foreach (var parameter in parameters)
            client.SetParameter(parameter.Split('=')[0], parameter.Split('=')[1]);
        client.Setup(stream);
        client.Start();
        return client;
    }

    [Test]
    static void ReadGivesTheNewestFramesWithWhatIsKnownOfEach()
    {
        using (var client = Running("width=160", "height=120", "cache_size=12", "read_size=3"))
        {
            var batch = client.Read(new ReadOptions { Timeout = Patience });
            var info = batch.Info;
            Require(batch.Count == 3 && info.Height == 120 && info.Width == 160 && info.Channels == 3, "shape");
            Require(batch.Data.Length == 3 * 120 * 160 * 3 && batch.Frame(2).Length == 120 * 160 * 3, "size");
            Require(batch.Frame(2)[5] == batch.Data[2 * 120 * 160 * 3 + 5], "frame");
            Require(batch.Data.Distinct().Count() > 50, "the picture is empty");
            Require(info.NewestAge >= TimeSpan.Zero && info.NewestAge < Patience && info.Generation == 1, "age");
            for (int index = 0; index < batch.Count; index++)
            {
                var frame = batch.Infos[index];
                Require(frame.Seq == info.FirstSeq + (ulong)index && frame.SourceWidth == 320 && frame.SourceHeight == 240, "info");
                Require(DateTimeOffset.Now - frame.ArrivalTime < Patience && frame.Pts != null, "time");
            }
            Require(client.FrameInfo(info.LastSeq).PtsNs == batch.Infos[2].PtsNs, "frame_info");
            Fails(Status.NoFrame, () => client.FrameInfo(ulong.MaxValue));
            Throws<ArgumentOutOfRangeException>(() => batch.Frame(3));
        }
    }

    [Test]
    static void ReadIntoFillsTheCallersMemory()
    {
        using (var client = Running("cache_size=25"))
        {
            var shape = client.OutputShape(Patience);
            Require(shape.FrameBytes == 240 * 320 * 3, "shape");
            var memory = new byte[2 * shape.FrameBytes + 1];
            var infos = new FrameInfo[2];
            var options = new ReadOptions { Order = Order.Next, Count = 2, Timeout = Patience };
            for (int time = 0; time < 4; time++)
            {
                var read = client.ReadInto(new Span<byte>(memory, 1, 2 * shape.FrameBytes), infos, options);
                Require(read.Count == 2 && infos[1].Seq == read.LastSeq, "infos");
                Require(options.AfterSeq == 0 || read.FirstSeq == options.AfterSeq + 1, "not in order");
                Require(memory[0] == 0 && memory.Skip(1).Distinct().Count() > 50, "pixels");
                options.AfterSeq = read.LastSeq;
            }
            client.ReadInto(memory, Span<FrameInfo>.Empty, options);
            Fails(Status.BufferTooSmall, () => client.ReadInto(new byte[7], Span<FrameInfo>.Empty, options));
            Throws<ArgumentException>(() => client.ReadInto(memory, new FrameInfo[1], options));
        }
    }

    [Test]
    static void ALeaseShowsTheRingItselfUntilItIsDisposedOf()
    {
        Lease lease;
        byte[] before;
        using (var client = Running("cache_size=12"))
        {
            lease = client.Acquire(new ReadOptions { Count = 3, Timeout = Patience });
            before = lease.Frame(2).ToArray();
            Require(lease.Count == 3 && before.Length == 240 * 320 * 3 && before.Distinct().Count() > 50, "pixels");
            Require(lease.Infos[2].Seq == lease.Info.LastSeq && lease.Data != IntPtr.Zero, "infos");
            var stats = client.Stats();
            Require(stats.Leases == 1 && stats.OldestLeaseAgeNs > 0, "stats");
            client.Wait(lease.Info.LastSeq + 24, Patience); // until the ring has gone round
            Fails(Status.InvalidArgument, () => client.Acquire(new ReadOptions { Count = 13 }));
            Fails(Status.InvalidArgument, () => client.Acquire(new ReadOptions { Count = int.MaxValue }));
            var source = new CancellationTokenSource(100);
            var forever = new ReadOptions { AfterSeq = Never, Timeout = Timeout.InfiniteTimeSpan };
            Throws<OperationCanceledException>(() => client.Acquire(forever, source.Token));
        }
        Require(lease.Frame(2).SequenceEqual(before), "the frames changed");
        Throws<ArgumentOutOfRangeException>(() => lease.Frame(3));
        lease.Dispose();
        lease.Dispose();
        Throws<ObjectDisposedException>(() => lease.Frame(2));
    }

    [Test]
    static void FailuresTellWhatHappened()
    {
        using (var client = new Client())
        {
            Require(client.LastFailure() == null, "a failure before the first");
            var thrown = Throws<MpegClientException>(() => client.Setup(refused));
            Require(thrown.Status == Status.Refused && thrown.Phase == Phase.Connect && thrown.Retryable, "thrown");
            Require(Throws<MpegClientException>(client.Start).Phase == Phase.None, "the call's failure is not the stream's");
            var last = client.LastFailure().Value;
            Require(last.AvCode == thrown.AvCode && last.ProtocolStatus == thrown.ProtocolStatus, "details");
            Require(last.Status == Status.Refused && last.Phase == Phase.Connect && last.Message.Contains("127.0.0.1"), "last");
            Fails(Status.NotFound, () => client.Setup("/no/such/file"));
            Fails(Status.BadState, client.Start);
            Fails(Status.BadState, () => client.StreamInfo());
            Fails(Status.UnknownParameter, () => client.SetParameter("widht", "1"));
            Fails(Status.InvalidArgument, () => client.SetParameter("width", -1));
            Throws<ArgumentException>(() => client.SetParameter("width", "1\0"));
            Throws<ArgumentNullException>(() => client.SetParameter(null, "1"));
            Throws<ArgumentOutOfRangeException>(() => client.Read(new ReadOptions { Count = -1 }));
            Throws<ArgumentOutOfRangeException>(() => client.Wait(0, TimeSpan.FromSeconds(-7)));
            Require(Library.Describe(Status.Refused) != Library.Describe(Status.NotFound), "texts");
        }
    }

    [Test]
    static void ATokenEndsEveryCallThatWaits()
    {
        using (var client = Running())
        using (var idle = new Client())
        {
            var forever = new ReadOptions { AfterSeq = Never, Timeout = Timeout.InfiniteTimeSpan };
            var calls = new Action<CancellationToken>[]
            {
                token => idle.Setup(mute, cancellation: token),
                token => client.Wait(Never, Timeout.InfiniteTimeSpan, token),
                token => client.Read(forever, token),
                token => Client.WaitAny(new[] { client, client }, new[] { Never, Never }, Timeout.InfiniteTimeSpan, token),
            };
            foreach (var call in calls)
            {
                var source = new CancellationTokenSource(150);
                var begun = Stopwatch.StartNew();
                var failure = Throws<OperationCanceledException>(() => call(source.Token));
                Require(failure.CancellationToken == source.Token && begun.Elapsed < Patience, "not by the token");
                Throws<OperationCanceledException>(() => call(source.Token)); // it has ended before the call
            }
            Require(client.ReadLatest(1, new CancellationTokenSource().Token).Count == 1, "the stream took harm");
        }
    }

    [Test]
    static void TimesAreTheCallersOrTheParameters()
    {
        using (var client = Running("read_timeout=100"))
        {
            Fails(Status.Timeout, () => client.Wait(Never));
            Fails(Status.Timeout, () => client.Read(new ReadOptions { AfterSeq = Never, Timeout = TimeSpan.Zero }));
            Require(client.Wait(0, Patience) > 0, "wait");
        }
    }

    [Test]
    static void DisposeEndsCallsInProgressAndRefusesLaterOnes()
    {
        var client = Running();
        var outcomes = new List<Exception>();
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            var failure = Throws<MpegClientException>(() => client.Wait(Never, Timeout.InfiniteTimeSpan));
            lock (outcomes)
                outcomes.Add(failure);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        Thread.Sleep(100);
        client.Dispose();
        threads.ForEach(thread => Require(thread.Join(Patience), "a call goes on"));
        Require(outcomes.All(failure => ((MpegClientException)failure).Status == Status.Interrupted), "not interrupted");
        client.Dispose();
        Throws<ObjectDisposedException>(client.Start);
        Throws<ObjectDisposedException>(() => Client.WaitAny(new[] { client }, new[] { 0ul }, Patience));
    }

    [Test]
    static void AStreamsLifeAndWhatIsKnownOfIt()
    {
        using (var client = new Client())
        {
            client.SetParameter("width", 64);
            Require(client.GetParameter("width") == "64", "get_parameter");
            client.Setup(stream, TimeSpan.Zero); // in the background
            client.Start();
            var shape = client.OutputShape(Patience);
            Require(shape.Height == 48 && shape.Width == 64 && shape.Channels == 3, "shape");
            Require(Client.WaitAny(new[] { client, client }, new[] { Never, 0ul }, Patience) == 1, "wait_any");
            var info = client.StreamInfo();
            Require(info.Codec == "h264" && info.Container == "rtsp" && info.PixelFormat == "yuv420p", info.Codec);
            Require(info.Width == 320 && info.Height == 240 && info.IsLive && info.Duration == null, "stream_info");
            var stats = client.Stats();
            Require(stats.NewestSeq > 0 && stats.Connects == 1 && stats.Bytes > 0, "stats");
            Require(client.Describe().Contains("h264"), client.Describe());
            client.Terminate();
            Require(client.State == State.Stopped && Library.Describe(client.State) != "", "state");
            client.Clear();
            Fails(Status.BadState, client.Start);
        }
    }

    [Test]
    static void InterruptIsALevel()
    {
        using (var client = Running())
        {
            client.Interrupt(true);
            Fails(Status.Interrupted, () => client.Wait(Never, Timeout.InfiniteTimeSpan));
            client.Interrupt(false);
            client.Wait(0, Patience);
        }
    }

    [Test]
    static void EventsTellWhatHappened()
    {
        using (var client = Running())
        {
            client.Wait(0, Patience);
            Require(client.EventDescriptor >= 0, "descriptor");
            client.ArmEvents(0);
            var last = State.Idle;
            for (var next = client.NextEvent(); next != null; next = client.NextEvent())
                if (next.Value.Kind == EventKind.StateChanged)
                    last = next.Value.State;
            Require(last == State.Running, last.ToString());
        }
    }

    [Test]
    static void TheLibraryTellsOfItself()
    {
        Require(Library.Version != "" && Library.VersionNumber > 0 && Library.BuildInfo.Contains("avcodec"), "version");
        Require(Library.AbiVersion >= Library.RequiredAbiVersion, "the library is older than this assembly");
        Require(Library.Describe(Phase.Connect) != "", "phase");
        var width = Library.Parameters().Single(row => row.Key == "width");
        Require(width.Kind == ParameterKind.Integer && width.Default == "0" && width.Help != "" && width.Range != "", "width");
    }

    [Test]
    static void LogLinesComeToAFunction()
    {
        var lines = new List<string>();
        Library.SetLogCallback((level, line) => { lock (lines) lines.Add(line); });
        Library.SetLogLevel(LogLevel.Info);
        using (Running()) { }
        Library.SetLogLevel(LogLevel.Quiet);
        Library.SetLogCallback(null);
        lock (lines)
            Require(lines.Count > 0 && lines.All(line => line != ""), "no line came");
        Fails(Status.InvalidArgument, () => Library.SetLogLevel((LogLevel)77));
        ReplaceTheLogFunctionWhileItIsInUse();
    }

    // A thread of the library may be on its way into the function before at any time.
    static void ReplaceTheLogFunctionWhileItIsInUse()
    {
        int count = 0;
        var isOver = false;
        Library.SetLogCallback((level, line) => { });
        Library.SetLogLevel(LogLevel.Debug);
        var logging = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                using (var client = new Client())
                    Fails(Status.NotFound, () => client.Setup("/nowhere/video.mp4", Patience));
            }
        })).ToList();
        logging.ForEach(thread => thread.Start());
        for (int round = 0; round < 300; round++)
        {
            // Each holds a buffer of its own: what is collected is soon used for something else.
            var buffer = new byte[4096];
            Library.SetLogCallback((level, line) => { buffer[line.Length % buffer.Length]++; Interlocked.Increment(ref count); });
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Volatile.Write(ref isOver, true);
        logging.ForEach(thread => thread.Join());
        Library.SetLogLevel(LogLevel.Quiet);
        Library.SetLogCallback(null);
        Require(count > 0, "no line came");
    }

    [Test]
    static void CredentialsAreTakenOutOfText()
    {
        var shown = Library.Redact("open rtsp://bob:hunter2@cam:554/1?token=hunter2: refused");
        Require(shown == "open rtsp://***@cam:554/1?token=***: refused", shown);
        var longer = new string('x', 5000);
        Require(Library.Redact(longer) == longer, "it was cut");
    }
}
