// Uses all of the C++ wrapper on a live stream.
//
//     wrapper LIVE
#include <mpegclient.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <poll.h>
#if __cplusplus >= 202002L
#include <span>
#endif
#include <thread>
#include <unistd.h>
#include <utility>

using namespace std::chrono_literals;

// Defined in wrapper_second.cpp: the header in two translation units of one program.
std::int32_t state_by_reference(const mpegclient::client &client);

static_assert(!std::is_copy_constructible_v<mpegclient::client> && !std::is_copy_assignable_v<mpegclient::client>);
static_assert(std::is_nothrow_move_constructible_v<mpegclient::client> && std::is_nothrow_move_assignable_v<mpegclient::client>);
static_assert(!std::is_copy_constructible_v<mpegclient::lease> && !std::is_default_constructible_v<mpegclient::lease>);
static_assert(std::is_nothrow_move_constructible_v<mpegclient::lease> && std::is_nothrow_move_assignable_v<mpegclient::lease>);
static_assert(!std::is_copy_constructible_v<mpegclient::cancel_token>);
static_assert(std::is_nothrow_move_constructible_v<mpegclient::cancel_token>);
static_assert(sizeof(mpegclient::client) == sizeof(MpegClient *), "an owner is no larger than what it owns");

#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            std::cerr << "line " << __LINE__ << ": not so: " << #condition << '\n'; \
            std::exit(1); \
        } \
    } while (false)

// Calls something that must fail, and gives the failure.
template <typename Function> static mpegclient::error failure_of(Function function) {
    try {
        function();
    } catch (const mpegclient::error &error) {
        return error;
    }
    std::cerr << "a call that must fail did not\n";
    std::exit(1);
}

static void parameters_and_failures() {
    mpegclient::client client;
    client.set_parameter("width", 480);
    client.set_parameter("height", std::uint64_t{360});
    client.set_parameter("frame_rate", std::string("5/1"));
    REQUIRE(client.parameter("width") == "480" && client.parameter("frame_rate") == "5/1");
    REQUIRE(client.parameter("username").empty());

    const mpegclient::client one({{"read_size", 3}}), two({{"username", "bob"}, {"password", "secret"}});
    REQUIRE(one.parameter("read_size") == "3" && two.parameter("username") == "bob");
    REQUIRE(failure_of([] { mpegclient::client({{"width", -1}}); }).status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    const auto table = mpegclient::parameters::table();
    REQUIRE(table.size() == mpegclient_parameter_count() && std::string(table[0].key) == "url");

    const auto unknown = failure_of([&] { client.set_parameter("widht", 1); });
    REQUIRE(unknown.status() == MPEGCLIENT_ERROR_UNKNOWN_PARAMETER && unknown.phase() == MPEGCLIENT_PHASE_NONE);
    REQUIRE(std::string(unknown.what()).find("widht") != std::string::npos && unknown.status_text() != nullptr);
    REQUIRE(failure_of([&] { client.start(); }).status() == MPEGCLIENT_ERROR_BAD_STATE);
    const std::string cut("a\0b", 3);
    const auto unsayable = failure_of([&] { client.set_parameter("username", cut); });
    REQUIRE(unsayable.status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT && unsayable.phase() == MPEGCLIENT_PHASE_NONE);
    REQUIRE(std::string(unsayable.what()) == "value has a NUL at 1, expected text without one");
    REQUIRE(failure_of([&] { client.setup(cut); }).status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    REQUIRE(failure_of([&] { client.set_parameters({{cut, 1}}); }).status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    REQUIRE(client.parameter("username").empty());

    const auto refused = failure_of([&] { client.setup("rtsp://127.0.0.1:1/nobody", 5s); });
    REQUIRE(refused.status() == MPEGCLIENT_ERROR_REFUSED && refused.phase() == MPEGCLIENT_PHASE_CONNECT);
    const auto last = client.last_failure();
    REQUIRE(last.status == MPEGCLIENT_ERROR_REFUSED && last.av_code == refused.av_code());
    REQUIRE(refused.retryable() && refused.protocol_status() == 0 && refused.phase_text() != nullptr);
    // A failure of the call itself is not taken for the stream's.
    REQUIRE(failure_of([&] { client.start(); }).phase() == MPEGCLIENT_PHASE_NONE);
}

static void reading(const std::string &url) {
    mpegclient::client first;
    first.set_parameter("cache_size", 4);
    first.set_parameter("read_size", 3);
    first.set_parameter("url", url);
    first.setup();
    first.start();

    mpegclient::client client = std::move(first);
    REQUIRE(first.handle() == nullptr);
    REQUIRE(state_by_reference(client) == client.state());

    const mpegclient::shape shape = client.output_shape(10s);
    REQUIRE(shape.height == 240 && shape.width == 320 && shape.channels == 3 && shape.frame_bytes == 240 * 320 * 3);

    const mpegclient::frames frames = client.extract(4, 10s);
    REQUIRE(frames.count() == 4 && frames.data.size() == 4 * shape.frame_bytes && frames.batch.count == 4);
    REQUIRE(frames.infos[3].seq == frames.batch.first_seq + 3 && frames.batch.data == nullptr);
    REQUIRE(frames[1] == frames.data.data() + shape.frame_bytes);
    REQUIRE(std::any_of(frames.data.begin(), frames.data.end(), [](std::uint8_t byte) { return byte != 0; }));
    REQUIRE(client.info(client.wait(0, 0s)).generation == 1);

    mpegclient::read_options next;
    next.order = MPEGCLIENT_ORDER_NEXT;
    next.after_seq = frames.infos.back().seq;
    next.timeout = 10s;
    REQUIRE(client.extract(next).count() == 3); // read_size

    std::vector<std::uint8_t> memory(shape.frame_bytes);
    next.count = 1;
    const mpegclient::batch batch = client.extract_into(memory.data(), memory.size(), next);
    REQUIRE(batch.data == memory.data() && batch.count == 1 && batch.first_seq > next.after_seq);
    const auto small = failure_of([&] { (void)client.extract_into(memory.data(), 1, next); });
    REQUIRE(small.status() == MPEGCLIENT_ERROR_BUFFER_TOO_SMALL);

    REQUIRE(std::string(client.stream_info().codec) == "h264" && client.stats().published >= 4);
    REQUIRE(client.describe().find("h264") != std::string::npos);

    client.terminate();
    REQUIRE(client.state() == MPEGCLIENT_STATE_STOPPED);
    REQUIRE(client.extract(4, 0s).count() == 4); // the last frames stay readable
    client.clear();
    REQUIRE(client.state() == MPEGCLIENT_STATE_IDLE);
}

static void lending(const std::string &url) {
    const mpegclient::parameters values{{"cache_size", 8}, {"width", 64L}, {"height", std::string("48")}, {"url", url.c_str()}};
    auto client = std::make_unique<mpegclient::client>(values);
    REQUIRE(client->parameter("cache_size") == "8" && client->parameter("height") == "48");
    client->set_parameters(mpegclient::parameters().set("read_size", 3).set("decode", "all"));
    client->setup();
    client->start();

    mpegclient::lease first = client->acquire(5, 10s);
    REQUIRE(first.handle() != nullptr && first.count() == 5 && first.infos().back().seq == first.batch().first_seq + 4);
    REQUIRE(first.data() == first.batch().data && first[1].data() == first.data() + first.batch().frame_stride);
    REQUIRE(first[0].size() == 48 * 64 * 3 && first[0][7] == *(first[0].begin() + 7));
    const std::vector<std::uint8_t> before(first[4].begin(), first[4].end());
#if __cplusplus >= 202002L
    const std::span<const std::uint8_t> span = first[4];
    REQUIRE(span.size() == before.size());
#endif

    mpegclient::read_options newer;
    newer.after_seq = first.infos().back().seq;
    newer.timeout = 10s;
    mpegclient::lease second = client->acquire(newer);
    REQUIRE(second.count() == 3 && client->stats().leases == 2); // read_size
    mpegclient::lease moved = std::move(first);
    REQUIRE(first.handle() == nullptr && moved.count() == 5);
    second = std::move(moved); // gives back what it had
    REQUIRE(client->stats().leases == 1);

    newer.count = UINT32_MAX;
    REQUIRE(failure_of([&] { (void)client->acquire(newer); }).status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    REQUIRE(failure_of([&] { (void)client->extract(newer); }).status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    newer.count = 9; // more than cache_size
    REQUIRE(failure_of([&] { (void)client->acquire(newer); }).status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT);
    REQUIRE(client->stats().leases == 1);

    client.reset();
    REQUIRE(std::equal(before.begin(), before.end(), second[4].begin()));
    std::thread([lease = std::move(second)] {}).join();
}

static void events(const std::string &url) {
    mpegclient::client idle, client;
    client.setup(url);
    client.start();
    client.event_arm(0);
    pollfd poll{client.event_fd(), POLLIN, 0};
    REQUIRE(::poll(&poll, 1, 10'000) == 1 && (poll.revents & POLLIN) != 0);
    REQUIRE(mpegclient::wait_any({{&client, UINT64_MAX}, {&client, 0}}, 10s) == 1);
    const auto nobody = failure_of([] { (void)mpegclient::wait_any({}, 0s); });
    REQUIRE(nobody.status() == MPEGCLIENT_ERROR_INVALID_ARGUMENT);

    client.event_arm(UINT64_MAX); // for events alone
    for (bool ran = false; !ran;) {
        REQUIRE(::poll(&poll, 1, 10'000) == 1);
        const auto event = client.next_event();
        ran = event && event->kind == MPEGCLIENT_EVENT_STATE_CHANGED && event->state == MPEGCLIENT_STATE_RUNNING;
    }
    REQUIRE(!idle.next_event());
}

static void ending_a_wait(const std::string &url) {
    mpegclient::client client;
    client.setup(url);
    client.start();
    const mpegclient::cancel_token cancel;
    std::thread other([&] {
        std::this_thread::sleep_for(200ms);
        cancel.trigger();
    });
    const auto cancelled = failure_of([&] { client.wait(UINT64_MAX - 1, mpegclient::no_limit, &cancel); });
    other.join();
    REQUIRE(cancelled.status() == MPEGCLIENT_ERROR_CANCELLED);
    cancel.reset();

    client.interrupt(true);
    const auto interrupted = failure_of([&] { client.wait(UINT64_MAX - 1, mpegclient::no_limit); });
    REQUIRE(interrupted.status() == MPEGCLIENT_ERROR_INTERRUPTED);
    client.interrupt(false);
    client.wait(0, 10s, &cancel);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    alarm(120); // whatever hangs, this ends
    parameters_and_failures();
    reading(argv[1]);
    lending(argv[1]);
    events(argv[1]);
    ending_a_wait(argv[1]);
    return 0;
}
