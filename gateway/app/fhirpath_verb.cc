#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/base/text.h"
#include "gateway/fhirpath/fhirpath.h"
#include "gateway/json/writer.h"

#include <iostream>
#include <map>

namespace lotsen::app {

namespace {

// A context document; root is nullptr for "-" (no context).
struct Context {
  std::optional<fhir::Document> document;
};

Result<Context> contextOf(const std::string& file) {
  Context context;
  if (file == "-") {
    context.document.emplace(fhir::Schema::r4());
    return context;
  }
  std::string bytes;
  if (!readFile(file, bytes)) return fail(Code::Unavailable, "cannot read " + file);
  fhir::Issues issues;
  auto document = readResource(bytes, fhir::Schema::r4(), {}, issues);
  if (!document.ok())
    return fail(Code::Invalid, issues.empty() ? document.error().message : issues.list().front().text);
  context.document = std::move(*document);
  return context;
}

Result<std::string> evaluate(const std::string& expression, const Context& context, Instant now) {
  const fhir::Element* root = context.document->root();
  fhirpath::CompileOptions options;
  options.strict = true;
  if (root != nullptr) options.context = root->type;
  LOTSEN_TRY(const auto program, fhirpath::Program::compile(expression, fhir::Schema::r4(), options));
  fhirpath::Environment environment;
  environment.document = &*context.document;
  environment.resource = root;
  environment.rootResource = root;
  environment.now = now;
  fhirpath::Evaluator evaluator(environment);
  LOTSEN_TRY(const auto values,
             root == nullptr ? evaluator.evaluate(program, fhirpath::Collection{}) : evaluator.evaluate(program, root));
  std::string text;
  json::Writer writer(text);
  writer.startArray();
  for (const auto& value : values) {
    writer.startObject().member("type", fhirpath::typeName(*context.document, value));
    writer.key("value").raw(fhirpath::toJson(*context.document, value)).endObject();
  }
  writer.endArray();
  return text;
}

// One JSON line in, one out; a broken line is wrong use of the whole batch.
int batch(const std::string& file, Instant now) {
  std::string bytes;
  if (!readInput(file, bytes)) return kWrongUse;
  std::map<std::string, Result<Context>> contexts;
  std::string out;
  int number = 0;
  for (const auto line : split(bytes, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    fhir::Issues issues;
    const auto entry = fhir::readJson(line, fhir::Schema::r4(), {}, issues);
    if (!entry.ok()) {
      std::cerr << "lotsen fhirpath: " << file << ':' << number << ": not a JSON object with id, expression, file\n";
      return kWrongUse;
    }
    const std::string id(fhir::valueAt(*entry, entry->root(), "id"));
    const std::string expression(fhir::valueAt(*entry, entry->root(), "expression"));
    std::string context(fhir::valueAt(*entry, entry->root(), "file"));
    if (context.empty()) context += '-';
    auto known = contexts.find(context);
    if (known == contexts.end()) known = contexts.emplace(context, contextOf(context)).first;

    const auto result =
        known->second.ok() ? evaluate(expression, *known->second, now) : Result<std::string>(known->second.error());
    json::Writer writer(out);
    writer.startObject().member("id", id);
    if (result.ok()) {
      writer.key("result").raw(*result);
    } else {
      writer.member("error", result.error().message);
    }
    writer.endObject();
    out += '\n';
  }
  std::cout << out;
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
  const auto context = contextOf(arguments->positional()[1]);
  if (!context.ok()) {
    std::cerr << "lotsen fhirpath: " << context.error().message << '\n';
    return kWrongUse;
  }
  const auto result = evaluate(arguments->positional()[0], *context, now);
  if (!result.ok()) {
    std::cerr << "lotsen fhirpath: " << result.error().message << '\n';
    return kDataFailed;
  }
  std::cout << *result << '\n';
  return kFine;
}

}  // namespace lotsen::app
