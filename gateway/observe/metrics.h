// Numbers about the running gateway, in the text form that Prometheus scrapes. Everybody who counts something asks the
// registry once for an instrument and keeps the reference; counting itself takes no lock. Names are
// lotsen_<what>_<unit>, a counter ends in _total; labels take few and fixed values (a route, a state, an endpoint),
// never an id or anything about a patient. Thread rule: everything from any thread. Instruments live as long as the
// registry. Failure rule: a name or label that breaks the grammar, or one name for two kinds, is our own fault and ends
// the process.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::observe {

/// Only goes up.
class Counter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t difference) { value_.fetch_add(difference, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Counts how many observations fall at or under each bound.
class Histogram {
 public:
  /// REQUIRES: `bounds` ascending, not empty; +Inf is added by itself.
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  /// Observations in bucket `i` alone (not cumulated); i == bounds().size() is +Inf.
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }
  std::uint64_t count() const;

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
  std::atomic<double> sum_{0};
};

/// Name and value pairs, in the order in which they are shown.
using Labels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// The instrument with that name and those labels; made when asked for the first time. One name has one help text and
  /// one kind. A name that reaches kMaxSeries gives all further label values one common instrument with every value
  /// "other": a mistake in labelling then costs detail, not memory.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                       const Labels& labels = {});

  /// Text exposition format 0.0.4, families and series in alphabetical order.
  std::string exposition() const;

  static constexpr std::size_t kMaxSeries = 1000;
  /// Seconds, 0.5 ms to 10 s: for requests and deliveries.
  static const std::vector<double>& latencyBounds();

 private:
  struct Family;
  struct Series;
  enum class Kind { Counter, Gauge, Histogram };

  Series& series(Kind kind, std::string_view name, std::string_view help, const Labels& labels);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;  // sorted by name
};

}  // namespace lotsen::observe
