#include "gateway/app/bench.h"
#include "gateway/app/files.h"
#include "gateway/json/writer.h"
#include "gateway/letter/files.h"
#include "gateway/letter/fonts.h"
#include "gateway/letter/render.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <iostream>

namespace lotsen::app {

namespace {

using SteadyClock = std::chrono::steady_clock;

std::string digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

}  // namespace

double cpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Measured measure(std::size_t iterations, const std::function<bool()>& once) {
  Measured measured;
  if (!once()) return measured;
  const double cpuBefore = cpuSeconds();
  const auto start = SteadyClock::now();
  const auto end = start + std::chrono::seconds(2);
  while (iterations != 0 ? measured.iterations < iterations : SteadyClock::now() < end) {
    if (!once()) return {};
    ++measured.iterations;
  }
  measured.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  measured.cpuSeconds = cpuSeconds() - cpuBefore;
  return measured;
}

int printMeasured(std::string_view bench, const Measured& measured, const std::vector<Extra>& extras) {
  if (measured.iterations == 0) {
    std::cerr << "lotsen bench " << bench << ": the work itself failed; run the verb of that name to see why\n";
    return kDataFailed;
  }
  std::string text;
  json::Writer writer(text);
  writer.startObject()
      .member("bench", bench)
      .key("per_second")
      .number(digits(static_cast<double>(measured.iterations) / measured.seconds));
  writer.member("iterations", static_cast<std::int64_t>(measured.iterations))
      .key("seconds")
      .number(digits(measured.seconds));
  if (measured.cpuSeconds > 0)
    writer.key("cpu_us").number(digits(measured.cpuSeconds * 1e6 / static_cast<double>(measured.iterations)));
  for (const auto& [name, value] : extras) writer.key(name).number(digits(value));
  writer.endObject();
  std::cout << text << '\n';
  return kFine;
}

int benchLetter(const Arguments& arguments, std::size_t iterations) {
  if (arguments.positional().size() != 3) {
    std::cerr << "lotsen bench letter: expected TEMPLATE DATA\n";
    return kWrongUse;
  }
  const auto schema = fhir::Schema::r4();
  const std::string& templatePath = arguments.positional()[1];
  fhir::Issues issues;
  const auto letter = letter::loadTemplate(templatePath, schema, issues);
  const auto folder = templatePath.substr(0, templatePath.find_last_of('/') + 1);
  const auto profile = letter::loadProfile(folder + "print/c5-h2.profile", issues);
  const auto fonts = letter::Fonts::open(defaultFontDirectories());
  std::string bytes;
  if (!readInput(arguments.positional()[2], bytes)) return kWrongUse;
  const auto source = fhir::readJson(bytes, schema, {}, issues);
  printIssues(templatePath, issues);
  if (!letter.ok() || !profile.ok() || !fonts.ok() || !source.ok()) return kWrongUse;
  return printMeasured("letter", measure(iterations, [&] {
                         const letter::RenderOptions options{fromMillis(0), &*profile, fonts->get()};
                         fhir::Issues found;
                         return letter::render(*letter, *source, letter::Format::Pdf, options, found).ok();
                       }));
}

}  // namespace lotsen::app
