#include "gateway/app/arguments.h"
#include "gateway/app/fhirpath_context.h"
#include "gateway/app/verbs.h"
#include "gateway/json/writer.h"

#include <iostream>

namespace lotsen::app {

namespace {

Result<std::string> evaluate(const std::string& expression, const fhir::Document& document, Instant now) {
  constexpr std::size_t kMost = 64u << 20;  // few items can stand for much text: one long value many times
  std::string text;
  LOTSEN_TRY_DO(evaluateText(expression, document, now, [&](const fhirpath::Collection& values) {
    json::Writer writer(text);
    writer.startArray();
    for (const auto& value : values) {
      if (text.size() > kMost) return;
      writer.startObject().member("type", fhirpath::typeName(document, value));
      writer.key("value").raw(fhirpath::toJson(document, value)).endObject();
    }
    writer.endArray();
  }));
  if (text.size() > kMost) return fail(Code::TooLarge, "the result is larger than 64 MB when it is written");
  return text;
}

// One JSON line in, one out; a broken line is wrong use of the whole batch.
int batch(const std::string& file, Instant now) {
  const auto lines = readBatch(file);
  if (!lines) return kWrongUse;
  FhirpathContexts contexts;
  for (const BatchLine& line : *lines) {
    std::string out;
    const auto& context = contexts.get(line.file);
    const auto result = context.ok() ? evaluate(line.expression, **context, now) : Result<std::string>(context.error());
    json::Writer writer(out);
    writer.startObject().member("id", line.id);
    if (result.ok()) {
      writer.key("result").raw(*result);
    } else {
      writer.member("error", result.error().message);
    }
    writer.endObject();
    std::cout << out << '\n';
  }
  return kFine;
}

}  // namespace

int fhirpathVerb(const Words& words) {
  static const Usage kUsage{
      "fhirpath",
      "EXPR FILE",
      "Prints what the expression yields on the resource, as a JSON array. FILE - is no context.",
      {{"--batch", "FILE", "JSON lines {\"id\",\"expression\",\"file\"} instead of EXPR and FILE"},
       {"--now", "INSTANT", "what now() says; default: the clock"}},
      0,
      2};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  Instant now = SystemClock().now();
  if (arguments->has("--now")) {
    const auto given = parseInstant(arguments->one("--now"));
    if (!given.ok()) {
      std::cerr << "lotsen fhirpath: --now: " << given.error().message << '\n';
      return kWrongUse;
    }
    now = *given;
  }
  if (arguments->has("--batch")) return batch(arguments->one("--batch"), now);
  if (arguments->positional().size() != 2) {
    std::cerr << "lotsen fhirpath: expected EXPR FILE\n";
    return kWrongUse;
  }
  FhirpathContexts contexts;
  const auto& context = contexts.get(arguments->positional()[1]);
  if (!context.ok()) {
    std::cerr << "lotsen fhirpath: " << context.error().message << '\n';
    return kWrongUse;
  }
  const auto result = evaluate(arguments->positional()[0], **context, now);
  if (!result.ok()) {
    std::cerr << "lotsen fhirpath: " << result.error().message << '\n';
    return kDataFailed;
  }
  std::cout << *result << '\n';
  return kFine;
}

}  // namespace lotsen::app
