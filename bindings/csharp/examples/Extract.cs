// Shows the newest five frames of a stream, ten times over, brought to 480x360 and 5 frames a second.
//
//     mono Extract.exe URL [PICTURE.ppm]
using System;
using System.IO;
using System.Text;
using System.Threading;
using MpegClient;

static class Extract
{
    static int Main(string[] arguments)
    {
        if (arguments.Length < 1)
        {
            Console.Error.WriteLine("usage: Extract.exe URL [PICTURE.ppm]");
            return 2;
        }
        // Ctrl-C ends whatever call is waiting.
        var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            interrupted.Cancel();
        };
        try
        {
            Run(arguments[0], arguments.Length > 1 ? arguments[1] : null, interrupted.Token);
            return 0;
        }
        catch (Exception failure) when (failure is MpegClientException || failure is OperationCanceledException)
        {
            Console.Error.WriteLine("extract: " + failure.Message);
            return 1;
        }
    }

    static void Run(string url, string picture, CancellationToken cancellation)
    {
        using (var client = new Client())
        {
            client.SetParameter("width", 480);
            client.SetParameter("height", 360);
            client.SetParameter("frame_rate", "5/1");
            client.SetParameter("cache_size", 12);
            client.Setup(url, cancellation: cancellation);
            client.Start();

            Batch batch = null;
            for (int time = 0; time < 10; time++)
            {
                // For a frame newer than those shown, so that each time shows another.
                client.Wait(batch == null ? 0 : batch.Info.LastSeq, cancellation: cancellation);
                batch = client.ReadLatest(5, cancellation);
                var info = batch.Info;
                var newest = batch.Infos[batch.Count - 1];
                Console.WriteLine(
                    $"({batch.Count}, {info.Height}, {info.Width}, {info.Channels}) seq {info.FirstSeq}..{newest.Seq}, " +
                    $"pts {newest.Pts?.TotalSeconds:F3} s, age {info.NewestAge?.TotalMilliseconds:F1} ms");
            }
            if (picture != null)
                WritePicture(picture, batch);
        }
    }

    static void WritePicture(string path, Batch batch)
    {
        using (var file = File.Create(path))
        {
            var head = Encoding.ASCII.GetBytes($"P6\n{batch.Info.Width} {batch.Info.Height}\n255\n");
            file.Write(head, 0, head.Length);
            var pixels = batch.Frame(batch.Count - 1).ToArray();
            file.Write(pixels, 0, pixels.Length);
        }
    }
}
