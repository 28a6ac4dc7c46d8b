// The benches that need more than a loop: a rendered letter, a running gateway. Each prints one JSON line and returns
// the exit status. Thread rule: one thread calls. Failure rule: what could not be measured is told on stderr; a figure
// is never made up.
#pragma once

#include "gateway/app/arguments.h"

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::app {

struct Measured {
  std::size_t iterations = 0;  // 0: it failed
  double seconds = 0;
  double cpuSeconds = 0;  // of the whole process; 0: not measured
};

/// Processor time that this process has used so far, all threads.
double cpuSeconds();

/// Runs `once` exactly `iterations` times, or for about two seconds when that is 0, after one round that does not
/// count.
Measured measure(std::size_t iterations, const std::function<bool()>& once);

using Extra = std::pair<std::string_view, double>;
/// {"bench":…,"per_second":…,"iterations":…,"seconds":…,"cpu_us":… (processor time a round), extras…}; exit status.
int printMeasured(std::string_view bench, const Measured& measured, const std::vector<Extra>& extras = {});

int benchLetter(const Arguments& arguments, std::size_t iterations);
/// Durable accepts over HTTP by `--clients` connections at once: records of unique cases made from `--source`.
int benchAccept(const Arguments& arguments, std::size_t iterations);
/// The whole path of transfers that one record releases (internal ones), to partners that are running: accept, map,
/// decide, store, send, acknowledge, follow.
int benchDeliver(const Arguments& arguments, std::size_t iterations);
/// From nothing to listening; milliseconds and resident megabytes.
int benchStart(const Arguments& arguments, std::size_t iterations);

}  // namespace lotsen::app
