// Shows the newest five frames of a stream, ten times over, brought to 480x360 and 5 frames a second.
//
//     extract URL [PICTURE.ppm]
#include <mpegclient.hpp>

#include <fstream>
#include <iostream>

int main(int argc, char **argv) {
    if (argc < 2) {
        std::cerr << "usage: extract URL [PICTURE.ppm]\n";
        return 2;
    }
    try {
        mpegclient::client client;
        client.set_parameter("width", 480);
        client.set_parameter("height", 360);
        client.set_parameter("frame_rate", "5/1");
        client.set_parameter("cache_size", 12);
        client.setup(argv[1]);
        client.start();

        mpegclient::frames frames;
        std::uint64_t seen = 0;
        for (int time = 0; time < 10; time++) {
            client.wait(seen, std::chrono::seconds(3)); // for a frame newer than those shown
            frames = client.extract(5, std::chrono::seconds(3));
            const auto &batch = frames.batch;
            const auto &newest = frames.infos.back();
            seen = newest.seq;
            std::cout << '(' << batch.count << ", " << batch.height << ", " << batch.width << ", " << batch.channels
                      << ") seq " << frames.infos.front().seq << ".." << newest.seq << ", pts " << newest.pts_ns / 1e9
                      << " s, age " << batch.newest_age_ns / 1e6 << " ms\n";
        }
        if (argc > 2) {
            std::ofstream picture(argv[2], std::ios::binary);
            picture << "P6\n" << frames.batch.width << ' ' << frames.batch.height << "\n255\n";
            picture.write(reinterpret_cast<const char *>(frames[frames.count() - 1]),
                          static_cast<std::streamsize>(frames.batch.frame_stride));
        }
        return 0; // the client stops, closes and frees itself
    } catch (const mpegclient::error &error) {
        std::cerr << "extract: " << error.what() << '\n';
        return 1;
    }
}
