#include "gateway/observe/metrics.h"

#include "gateway/base/result.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace lotsen::observe {

namespace {

bool isLower(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}
bool isLowerOrDigit(char c) {
  return isLower(c) || (c >= '0' && c <= '9');
}

bool isLabelName(std::string_view name) {
  return !name.empty() && isLower(name[0]) && name != "le" && std::all_of(name.begin(), name.end(), isLowerOrDigit);
}

bool isMetricName(std::string_view name) {
  return name.starts_with("lotsen_") && std::all_of(name.begin(), name.end(), isLowerOrDigit);
}

void appendNumber(std::string& out, double value) {
  char text[400];  // the longest double without an exponent
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  out.append(text, end);
}

void appendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out.push_back(c);
    }
  }
}

// a="1",b="2"
std::string labelText(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out.push_back(',');
    out.append(name).append("=\"");
    appendEscaped(out, value, true);
    out.push_back('"');
  }
  return out;
}

void appendSample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels) {
  out.append(name).append(suffix);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.push_back(' ');
}

void appendHistogram(std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram) {
  const std::string prefix = (labels.empty() ? std::string() : std::string(labels) + ",") + "le=\"";
  std::string bucket;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += histogram.bucket(i);
    bucket = prefix;
    if (i < histogram.bounds().size()) {
      appendNumber(bucket, histogram.bounds()[i]);
    } else {
      bucket += "+Inf";
    }
    bucket.push_back('"');
    appendSample(out, name, "_bucket", bucket);
    out.append(std::to_string(total)).push_back('\n');
  }
  appendSample(out, name, "_sum", labels);
  appendNumber(out, histogram.sum());
  out.push_back('\n');
  // Not histogram.count(): an observation between the two reads must not make the count differ from the last bucket.
  appendSample(out, name, "_count", labels);
  out.append(std::to_string(total)).push_back('\n');
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {
  LOTSEN_CHECK(!bounds_.empty() && std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  buckets_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) total += bucket(i);
  return total;
}

struct Metrics::Series {
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;
};

struct Metrics::Family {
  std::string name;
  std::string help;
  Kind kind;
  std::map<std::string, std::unique_ptr<Series>, std::less<>> series;  // by label text
};

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

// REQUIRES: mutex_ is held.
Metrics::Series& Metrics::series(Kind kind, std::string_view name, std::string_view help, const Labels& labels) {
  LOTSEN_CHECK(isMetricName(name));
  LOTSEN_CHECK(kind != Kind::Counter || name.ends_with("_total"));
  for (const auto& label : labels) LOTSEN_CHECK(isLabelName(label.first));

  auto family =
      std::lower_bound(families_.begin(), families_.end(), name, [](const auto& f, auto n) { return f->name < n; });
  if (family == families_.end() || (*family)->name != name) {
    family = families_.insert(family, std::make_unique<Family>(Family{std::string(name), std::string(help), kind, {}}));
  }
  LOTSEN_CHECK((*family)->kind == kind);

  auto& all = (*family)->series;
  std::string key = labelText(labels);
  if (!all.contains(key) && all.size() >= kMaxSeries) {
    Labels other = labels;
    for (auto& label : other) label.second = "other";
    key = labelText(other);
  }
  auto& series = all[key];
  if (!series) series = std::make_unique<Series>();
  return *series;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  return series(Kind::Counter, name, help, labels).counter;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  return series(Kind::Gauge, name, help, labels).gauge;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                              const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& histogram = series(Kind::Histogram, name, help, labels).histogram;
  if (!histogram) histogram = std::make_unique<Histogram>(bounds);
  return *histogram;
}

std::string Metrics::exposition() const {
  constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& family : families_) {
    out.append("# HELP ").append(family->name).append(" ");
    appendEscaped(out, family->help, false);
    out.append("\n# TYPE ")
        .append(family->name)
        .append(" ")
        .append(kKinds[static_cast<std::size_t>(family->kind)])
        .append("\n");
    for (const auto& [labels, series] : family->series) {
      if (family->kind == Kind::Histogram) {
        appendHistogram(out, family->name, labels, *series->histogram);
        continue;
      }
      appendSample(out, family->name, "", labels);
      out.append(family->kind == Kind::Counter ? std::to_string(series->counter.value())
                                               : std::to_string(series->gauge.value()));
      out.push_back('\n');
    }
  }
  return out;
}

const std::vector<double>& Metrics::latencyBounds() {
  static const auto& bounds =
      *new std::vector<double>{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  return bounds;
}

}  // namespace lotsen::observe
