// OpenCV on a stream's own memory: how much moves in the newest five frames, ten times over, without copying a pixel.
//
//     opencv URL
//
// Needs opencv_core: c++ -std=c++17 opencv.cpp $(pkg-config --cflags --libs mpegclient opencv4)
#include <mpegclient.hpp>

#include <iostream>
#include <opencv2/core.hpp>

// A frame as OpenCV knows it. It has no word for memory that may not be written to: only read what this gives.
static cv::Mat mat(const mpegclient::lease &lease, std::size_t index) {
    const auto &batch = lease.batch();
    return {static_cast<int>(batch.height), static_cast<int>(batch.width), CV_8UC(static_cast<int>(batch.channels)),
            const_cast<std::uint8_t *>(lease[index].data()), static_cast<std::size_t>(batch.row_stride)};
}

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: opencv URL\n";
        return 2;
    }
    try {
        mpegclient::client client({{"width", 480}, {"height", 360}, {"pixel_format", "bgr24"}, {"read_size", 5}});
        client.setup(argv[1]);
        client.start();

        mpegclient::read_options newer;
        newer.timeout = std::chrono::seconds(3);
        for (int time = 0; time < 10; time++) {
            const mpegclient::lease lease = client.acquire(newer);
            const cv::Mat oldest = mat(lease, 0), newest = mat(lease, lease.count() - 1);
            cv::Mat difference;
            cv::absdiff(oldest, newest, difference);
            const cv::Scalar mean = cv::mean(difference);
            newer.after_seq = lease.infos().back().seq;
            std::cout << "frames " << lease.infos().front().seq << ".." << newer.after_seq << ", change "
                      << (mean[0] + mean[1] + mean[2]) / 3 << '\n';
        } // the frames go back, and with them what the matrices show
        return 0;
    } catch (const mpegclient::error &error) {
        std::cerr << "opencv: " << error.what() << '\n';
        return 1;
    }
}
