// Shows the newest five frames of a stream, ten times over, brought to 480x360 and 5 frames a second.
//
//	extract URL [PICTURE.png]
package main

import (
	"context"
	"fmt"
	"image/png"
	"os"
	"os/signal"

	"mpegclient"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: extract URL [PICTURE.png]")
		os.Exit(2)
	}
	// Ctrl-C ends whatever call is waiting.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, picture []string) error {
	client, err := mpegclient.New()
	if err != nil {
		return err
	}
	defer client.Close()
	for key, value := range map[string]string{"width": "480", "height": "360", "frame_rate": "5/1", "cache_size": "12"} {
		if err := client.SetParameter(key, value); err != nil {
			return err
		}
	}
	if err := client.Setup(ctx, url); err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}

	var batch mpegclient.Batch // its memory is used again by each read
	for time := 0; time < 10; time++ {
		// For a frame newer than those shown, so that each time shows another.
		if _, err := client.Wait(ctx, batch.LastSeq(), 0); err != nil {
			return err
		}
		if err := client.ReadInto(ctx, &batch, mpegclient.ReadOptions{Count: 5}); err != nil {
			return err
		}
		newest := batch.Infos[batch.Count()-1]
		fmt.Printf("(%d, %d, %d, %d) seq %d..%d, pts %.3f s, age %.1f ms\n", batch.Count(), batch.Height, batch.Width,
			batch.Channels, batch.FirstSeq, newest.Seq, newest.PTS.Seconds(), batch.NewestAge.Seconds()*1000)
	}
	if len(picture) > 0 {
		return writePicture(picture[0], &batch)
	}
	return nil
}

func writePicture(path string, batch *mpegclient.Batch) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(file, batch.Image(batch.Count()-1)); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
