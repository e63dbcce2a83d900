// mpegclient for C++17: the C functions of mpegclient.h with owners, exceptions and values. Nothing is added and nothing
// copied beyond what those do; what a call means, waits for and may return is said there.
//
//     mpegclient::client client({{"width", 480}, {"height", 360}, {"frame_rate", "5/1"}});
//     client.setup("rtsp://camera/1");
//     client.start();
//     mpegclient::frames frames = client.extract(5, std::chrono::seconds(3)); // copied, or
//     mpegclient::lease lease = client.acquire(5, std::chrono::seconds(3));   // looked at where they lie
//
// What fails throws mpegclient::error, or std::bad_alloc. Every class here may be used on any thread; what the C header
// says of freeing holds for destructors, moves and assignments.

#ifndef MPEGCLIENT_HPP
#define MPEGCLIENT_HPP

#include <mpegclient.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mpegclient {

using milliseconds = std::chrono::milliseconds;

// How long a call waits: without limit (setup: for the parameter setup_timeout).
inline constexpr milliseconds no_limit{-1};

using frame_info = MpegClientFrameInfo;

// The members that C callers fill in to say how large a struct is are set by whoever makes one here.
template <typename Struct> [[nodiscard]] constexpr Struct sized() noexcept {
    Struct made{};
    made.struct_size = sizeof(Struct);
    return made;
}

// A call that did not succeed.
class error : public std::runtime_error {
public:
    // The last call on this thread, which failed.
    error() : std::runtime_error(mpegclient_last_error()) { (void)mpegclient_thread_error(&known_); }
    // An argument that the library never saw, because it cannot be said in C.
    explicit error(const std::string &text) : std::runtime_error(text) { known_.status = MPEGCLIENT_ERROR_INVALID_ARGUMENT; }

    // MPEGCLIENT_ERROR_*.
    [[nodiscard]] std::int32_t status() const noexcept { return known_.status; }
    // What the status means, in one sentence. what() has the words for this very failure.
    [[nodiscard]] const char *status_text() const noexcept { return mpegclient_status_string(status()); }
    // MPEGCLIENT_PHASE_*: the step of the stream's life that failed, if the stream did.
    [[nodiscard]] std::int32_t phase() const noexcept { return known_.phase; }
    [[nodiscard]] const char *phase_text() const noexcept { return mpegclient_phase_string(phase()); }
    // libav's error code, 0 if libav was not involved.
    [[nodiscard]] std::int32_t av_code() const noexcept { return known_.av_code; }
    // RTSP or HTTP status that the server answered, 0 if not known.
    [[nodiscard]] std::int32_t protocol_status() const noexcept { return known_.protocol_status; }
    // The same attempt may succeed later.
    [[nodiscard]] bool retryable() const noexcept { return known_.retryable != 0; }

private:
    MpegClientError known_ = sized<MpegClientError>();
};

namespace detail {

inline void check(std::int32_t status) {
    if (status != MPEGCLIENT_OK) {
        throw error();
    }
}

// Text for C, which would take a NUL within for the end.
[[nodiscard]] inline const char *c_text(const char *argument, const std::string &text) {
    if (const auto position = text.find('\0'); position != std::string::npos) {
        throw error(std::string(argument) + " has a NUL at " + std::to_string(position) + ", expected text without one");
    }
    return text.c_str();
}

template <auto function> struct calls {
    template <typename Object> void operator()(Object *object) const noexcept { function(object); }
};

// The text that a function gives piece by piece: its size first, then itself. It may have grown in between.
template <typename Function> [[nodiscard]] std::string text_of(Function function) {
    std::string text;
    std::size_t needed = 0;
    std::int32_t status = function(nullptr, std::size_t{0}, &needed);
    while (status == MPEGCLIENT_ERROR_BUFFER_TOO_SMALL) {
        text.resize(needed);
        status = function(text.data(), text.size(), &needed);
    }
    check(status);
    text.resize(needed - 1); // the size includes the NUL, of which a string has its own
    return text;
}

} // namespace detail

// The text without the credentials in it. Of addresses it keeps scheme, host, port, path and harmless values of the query;
// what is hidden becomes "***". The texts of this library have been through it already.
[[nodiscard]] inline std::string redact(const std::string &text) {
    return detail::text_of([&](char *buffer, std::size_t size, std::size_t *needed) {
        return mpegclient_redact(detail::c_text("text", text), buffer, size, needed);
    });
}

// Ends the blocking calls it is given to.
class cancel_token {
public:
    cancel_token() : token_(mpegclient_cancel_new()) {
        if (!token_) {
            throw std::bad_alloc();
        }
    }

    void trigger() const { detail::check(mpegclient_cancel_trigger(token_.get())); }
    void reset() const { detail::check(mpegclient_cancel_reset(token_.get())); }
    [[nodiscard]] const MpegClientCancel *handle() const noexcept { return token_.get(); }

private:
    std::unique_ptr<MpegClientCancel, detail::calls<mpegclient_cancel_free>> token_;
};

// Parameters with their values, to be given to a client together. Text as the C functions take it, or whole numbers.
class parameters {
public:
    struct entry {
        std::string key;
        std::string value;

        entry(std::string name, std::string text) : key(std::move(name)), value(std::move(text)) {}
        entry(std::string name, const char *text) : key(std::move(name)), value(text) {}
        template <typename Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
        entry(std::string name, Integer number) : key(std::move(name)), value(std::to_string(+number)) {}
    };

    parameters() = default;
    parameters(std::initializer_list<entry> entries) : entries_(entries) {}

    template <typename Value> parameters &set(std::string key, Value &&value) {
        entries_.emplace_back(std::move(key), std::forward<Value>(value));
        return *this;
    }

    [[nodiscard]] const std::vector<entry> &entries() const noexcept { return entries_; }

    // The table of all parameters there are. Its strings live as long as the library.
    [[nodiscard]] static std::vector<MpegClientParameterInfo> table() {
        std::vector<MpegClientParameterInfo> rows(mpegclient_parameter_count(), sized<MpegClientParameterInfo>());
        for (std::size_t index = 0; index < rows.size(); index++) {
            detail::check(mpegclient_parameter_describe(index, &rows[index]));
        }
        return rows;
    }

private:
    std::vector<entry> entries_;
};

// Bytes that lie one after the other and belong to somebody else. Becomes a std::span by itself, where there is one.
class bytes {
public:
    constexpr bytes(const std::uint8_t *data, std::size_t size) noexcept : data_(data), size_(size) {}

    [[nodiscard]] constexpr const std::uint8_t *data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr const std::uint8_t *begin() const noexcept { return data_; }
    [[nodiscard]] constexpr const std::uint8_t *end() const noexcept { return data_ + size_; }
    [[nodiscard]] constexpr std::uint8_t operator[](std::size_t index) const noexcept { return data_[index]; }

private:
    const std::uint8_t *data_;
    std::size_t size_;
};

// The shape of one frame: (height, width, channels) bytes, row by row.
struct shape {
    std::uint32_t height;
    std::uint32_t width;
    std::uint32_t channels;
    std::size_t frame_bytes;
};

// What to read. As it is: the newest read_size frames there are, without waiting.
struct read_options {
    std::int32_t order = MPEGCLIENT_ORDER_LATEST;
    std::uint32_t count = 0;
    std::uint32_t flags = 0;
    std::uint64_t after_seq = 0;
    milliseconds timeout{0};
    milliseconds max_age{0};
    const cancel_token *cancel = nullptr;
};

// What was read into the caller's memory.
using batch = MpegClientBatch;

// Frames with the memory they lie in. frames.data is an array (count, height, width, channels), oldest frame first.
struct frames {
    std::vector<std::uint8_t> data;
    std::vector<frame_info> infos;
    // Its data member is NULL: the memory's address is data.data(), also after a copy or a move.
    mpegclient::batch batch{};

    [[nodiscard]] std::size_t count() const noexcept { return infos.size(); }
    [[nodiscard]] const std::uint8_t *operator[](std::size_t index) const noexcept {
        return data.data() + index * static_cast<std::size_t>(batch.frame_stride);
    }
};

// Frames that are looked at where they lie in the ring. They never change while the lease lives, whatever becomes of its
// client; it may end on any thread. Frame i begins batch().frame_stride * i bytes after data().
class [[nodiscard]] lease {
public:
    [[nodiscard]] std::size_t count() const noexcept { return infos_.size(); }
    // The pixels of a frame, row by row, without gaps.
    [[nodiscard]] bytes operator[](std::size_t index) const noexcept {
        const auto row = static_cast<std::size_t>(batch_.row_stride);
        return {data() + index * static_cast<std::size_t>(batch_.frame_stride), row * batch_.height};
    }
    [[nodiscard]] const std::uint8_t *data() const noexcept { return batch_.data; }
    [[nodiscard]] const mpegclient::batch &batch() const noexcept { return batch_; }
    // One for each frame, oldest first.
    [[nodiscard]] const std::vector<frame_info> &infos() const noexcept { return infos_; }
    // The C object, for functions that this class lacks. It stays this object's.
    [[nodiscard]] MpegClientLease *handle() const noexcept { return lease_.get(); }

private:
    friend class client;
    lease() = default;

    std::unique_ptr<MpegClientLease, detail::calls<mpegclient_lease_release>> lease_;
    mpegclient::batch batch_ = sized<mpegclient::batch>();
    std::vector<frame_info> infos_;
};

// A stream, from setup to clear.
class client {
public:
    client() : client_(mpegclient_new()) {
        if (!client_) {
            throw error();
        }
    }
    explicit client(const parameters &values) : client() { set_parameters(values); }

    // Sets them one after the other; those before one that is refused stay set.
    void set_parameters(const parameters &values) {
        for (const auto &[key, value] : values.entries()) {
            set_parameter(detail::c_text("key", key), value);
        }
    }
    void set_parameter(const char *key, const char *value) { detail::check(mpegclient_set_parameter(handle(), key, value)); }
    void set_parameter(const char *key, const std::string &value) { set_parameter(key, detail::c_text("value", value)); }
    // Every type of whole number, or a plain 0 could be meant as text as well.
    template <typename Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
    void set_parameter(const char *key, Integer value) {
        detail::check(mpegclient_set_parameter_int(handle(), key, static_cast<std::int64_t>(value)));
    }

    [[nodiscard]] std::string parameter(const char *key) const {
        return detail::text_of([&](char *buffer, std::size_t size, std::size_t *needed) {
            return mpegclient_get_parameter(handle(), key, buffer, size, needed);
        });
    }

    void setup(const std::string &url, milliseconds timeout = no_limit, const cancel_token *cancel = nullptr) {
        detail::check(mpegclient_setup(handle(), detail::c_text("url", url), timeout.count(), token(cancel)));
    }
    // Connects to the parameter "url".
    void setup(milliseconds timeout = no_limit, const cancel_token *cancel = nullptr) {
        detail::check(mpegclient_setup(handle(), nullptr, timeout.count(), token(cancel)));
    }
    void start() { detail::check(mpegclient_start(handle())); }
    void terminate() { detail::check(mpegclient_terminate(handle())); }
    void clear() { detail::check(mpegclient_clear(handle())); }
    void interrupt(bool on) { detail::check(mpegclient_interrupt(handle(), on ? 1 : 0)); }

    // MPEGCLIENT_STATE_*.
    [[nodiscard]] std::int32_t state() const {
        std::int32_t state = MPEGCLIENT_STATE_IDLE;
        detail::check(mpegclient_state(handle(), &state));
        return state;
    }
    [[nodiscard]] MpegClientStreamInfo stream_info() const { return filled<MpegClientStreamInfo>(mpegclient_stream_info); }
    [[nodiscard]] MpegClientStats stats() const { return filled<MpegClientStats>(mpegclient_stats); }
    [[nodiscard]] MpegClientError last_failure() const { return filled<MpegClientError>(mpegclient_client_error); }
    [[nodiscard]] std::string describe() const {
        return detail::text_of([&](char *buffer, std::size_t size, std::size_t *needed) {
            return mpegclient_describe(handle(), buffer, size, needed);
        });
    }

    [[nodiscard]] shape output_shape(milliseconds timeout, const cancel_token *cancel = nullptr) const {
        shape known{};
        detail::check(mpegclient_output_shape(handle(), timeout.count(), token(cancel), &known.height, &known.width,
                                      &known.channels, &known.frame_bytes));
        return known;
    }

    // Waits for a frame newer than after_seq; gives the number of the newest.
    std::uint64_t wait(std::uint64_t after_seq, milliseconds timeout, const cancel_token *cancel = nullptr) const {
        std::uint64_t newest = 0;
        detail::check(mpegclient_wait(handle(), after_seq, timeout.count(), token(cancel), &newest));
        return newest;
    }

    // Copies frames into memory of the caller's, with room for options.count of output_shape().frame_bytes. So must
    // infos have, if it is not NULL.
    batch extract_into(void *memory, std::size_t size, const read_options &options, frame_info *infos = nullptr) const {
        const auto asked = c_options(options);
        auto got = sized<MpegClientBatch>();
        detail::check(mpegclient_extract_frames(handle(), &asked, static_cast<std::uint8_t *>(memory), size, infos,
                                        sizeof(frame_info), &got));
        return got;
    }

    // Gives frames in memory of their own. The time allowed is for the first frame's shape as well as for the frames.
    [[nodiscard]] frames extract(read_options options) const {
        const auto begun = std::chrono::steady_clock::now();
        const shape known = output_shape(options.timeout, options.cancel);
        if (options.timeout > milliseconds::zero()) {
            const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
            options.timeout = spent < options.timeout ? options.timeout - spent : milliseconds::zero();
        }
        options.count = known_count(options);
        frames read;
        read.data.resize(options.count * known.frame_bytes);
        read.infos.resize(options.count);
        read.batch = extract_into(read.data.data(), read.data.size(), options, read.infos.data());
        // Fewer frames may have come than were asked for. Shrinking moves nothing.
        read.data.resize(read.batch.count * known.frame_bytes);
        read.infos.resize(read.batch.count);
        read.batch.data = nullptr;
        return read;
    }
    [[nodiscard]] frames extract(std::uint32_t count, milliseconds timeout) const {
        read_options options;
        options.count = count;
        options.timeout = timeout;
        return extract(options);
    }

    // Lends frames without copying them.
    [[nodiscard]] lease acquire(read_options options) const {
        options.count = known_count(options);
        lease lent;
        lent.infos_.resize(options.count);
        const auto asked = c_options(options);
        MpegClientLease *handle = nullptr;
        detail::check(mpegclient_acquire_frames(client_.get(), &asked, &handle, lent.infos_.data(), sizeof(frame_info),
                                        &lent.batch_));
        lent.lease_.reset(handle);
        lent.infos_.resize(lent.batch_.count);
        return lent;
    }
    [[nodiscard]] lease acquire(std::uint32_t count, milliseconds timeout) const {
        read_options options;
        options.count = count;
        options.timeout = timeout;
        return acquire(options);
    }

    // What is known by now of a frame in the ring.
    [[nodiscard]] frame_info info(std::uint64_t seq) const {
        frame_info known{};
        detail::check(mpegclient_frame_info(handle(), seq, &known, sizeof known));
        return known;
    }

    // The oldest event that nobody has taken yet.
    [[nodiscard]] std::optional<MpegClientEvent> next_event() {
        auto event = sized<MpegClientEvent>();
        const std::int32_t status = mpegclient_next_event(handle(), &event);
        if (status == MPEGCLIENT_ERROR_NO_EVENT) {
            return std::nullopt;
        }
        detail::check(status);
        return event;
    }
    // A descriptor to poll for events and, once armed, for frames. It stays this object's.
    [[nodiscard]] int event_fd() {
        int descriptor = -1;
        detail::check(mpegclient_event_fd(handle(), &descriptor));
        return descriptor;
    }
    void event_arm(std::uint64_t after_seq) { detail::check(mpegclient_event_arm(handle(), after_seq)); }

    // The C object, for functions that this class lacks. It stays this object's.
    [[nodiscard]] MpegClient *handle() const noexcept { return client_.get(); }

private:
    [[nodiscard]] static const MpegClientCancel *token(const cancel_token *cancel) noexcept {
        return cancel != nullptr ? cancel->handle() : nullptr;
    }

    [[nodiscard]] static MpegClientReadOptions c_options(const read_options &options) noexcept {
        auto asked = sized<MpegClientReadOptions>();
        asked.order = options.order;
        asked.count = options.count;
        asked.flags = options.flags;
        asked.after_seq = options.after_seq;
        asked.timeout_ms = options.timeout.count();
        asked.max_age_ms = options.max_age.count();
        asked.cancel = token(options.cancel);
        return asked;
    }

    // The count asked for as a number, which memory for that many can be had for.
    [[nodiscard]] std::uint32_t known_count(const read_options &options) const {
        constexpr std::uint32_t most = 4096; // the largest cache_size
        if (options.count > most) {
            (void)extract_into(nullptr, 0, options); // throws, in the library's words
        }
        return options.count != 0 ? options.count : static_cast<std::uint32_t>(std::stoul(parameter("read_size")));
    }

    template <typename Struct, typename Function> [[nodiscard]] Struct filled(Function function) const {
        auto place = sized<Struct>();
        detail::check(function(handle(), &place));
        return place;
    }

    std::unique_ptr<MpegClient, detail::calls<mpegclient_free>> client_;
};

// A client, and the number of the last frame of it that was seen.
using client_after = std::pair<const client *, std::uint64_t>;

// Waits until one of several clients has a frame newer than the number given with it; returns its place. Where
// several have one, that is the client that was returned least recently: a slow caller gets all of them in turn.
inline std::size_t wait_any(const std::vector<client_after> &clients, milliseconds timeout,
                            const cancel_token *cancel = nullptr) {
    std::vector<const MpegClient *> handles;
    std::vector<std::uint64_t> after_seqs;
    for (const auto &[one, seq] : clients) {
        handles.push_back(one->handle());
        after_seqs.push_back(seq);
    }
    std::size_t index = 0;
    detail::check(mpegclient_wait_any(handles.data(), after_seqs.data(), handles.size(), timeout.count(),
                                      cancel != nullptr ? cancel->handle() : nullptr, &index));
    return index;
}

} // namespace mpegclient

#endif
