// A program that uses libav itself, and this library beside it in the same process:
//
//     two_libavs MODE GARBAGE PORT
//
// MODE is "alone" (without this library), "beside", or "debug" (beside, with every line of this library's going to a
// callback). What libav says of the program's own streams must be on standard error as ever; what it says of this
// library's, nowhere or in the callback. The callback's lines go to standard output.
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <mpegclient.h>
#include <stdio.h>
#include <string.h>

static void print_line(int32_t level, const char *line, void *user_data) {
    (void)user_data;
    printf("%d %s\n", level, line);
}

static void open_own(const char *url) {
    AVFormatContext *input = NULL;
    AVDictionary *options = NULL;
    av_dict_set(&options, "timeout", "2000000", 0);
    int error = avformat_open_input(&input, url, NULL, &options);
    // In two pieces, as libav itself does now and then.
    av_log(NULL, AV_LOG_ERROR, "own: %s ", strrchr(url, '/'));
    av_log(NULL, AV_LOG_ERROR, "gives %d\n", error);
    av_dict_free(&options);
    avformat_close_input(&input);
}

static void open_of_the_library(MpegClient *client, const char *url) {
    if (mpegclient_setup(client, url, 2000, NULL) == MPEGCLIENT_OK)
        printf("%s was opened\n", url);
}

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    const char *mode = arguments[1], *garbage = arguments[2];
    char dead[64];
    snprintf(dead, sizeof dead, "rtsp://127.0.0.1:%s/dead", arguments[3]);
    const char *urls[] = {"/nowhere/at/all.mp4", garbage, dead};

    MpegClient *client = strcmp(mode, "alone") == 0 ? NULL : mpegclient_new();
    if (strcmp(mode, "debug") == 0) {
        mpegclient_set_log_callback(print_line, NULL);
        mpegclient_set_log_level(MPEGCLIENT_LOG_DEBUG);
    }
    av_log(NULL, AV_LOG_ERROR, "own: an error\n");
    av_log(NULL, AV_LOG_INFO, "own: rtsp://bob:hunter2@camera/1 is not ours to hide\n");
    av_log(NULL, AV_LOG_DEBUG, "own: beyond the level\n");
    for (int i = 0; i < 3; i++) {
        if (client != NULL)
            open_of_the_library(client, urls[i]);
        open_own(urls[i]);
    }
    // The level and the flags of the program's own are its own business, too.
    av_log_set_flags(AV_LOG_PRINT_LEVEL);
    av_log_set_level(AV_LOG_DEBUG);
    av_log(NULL, AV_LOG_DEBUG, "own: with its level\n");
    av_log_set_level(AV_LOG_QUIET);
    av_log(NULL, AV_LOG_ERROR, "own: never shown\n");
    mpegclient_free(client);
    return 0;
}
