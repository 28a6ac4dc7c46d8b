// The official FHIRPath suite: reads its XML and judges results as the suite's own documentation says. Test support
// only.
#pragma once

#include "gateway/fhirpath/fhirpath.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhirpath {

struct SuiteOutput {
  std::string type;  // empty: the value may be anything that is spelled so
  std::string value;
};

struct SuiteTest {
  std::string group;
  std::string name;
  std::string id;  // group/name/ordinal within it: names repeat
  std::string inputFile;
  std::string expression;
  std::string invalid;  // "syntax", "semantic", "execution": it must raise an error
  std::string mode;     // "strict", "lenient/polymorphics"; what else there is does not change how it is run
  bool predicate = false;
  bool ordered = true;
  std::vector<SuiteOutput> outputs;
};

/// An XML file, gzipped or not.
Result<std::vector<SuiteTest>> readSuite(const std::string& path);

/// Loads and keeps the input resources of a folder.
class SuiteInputs {
 public:
  explicit SuiteInputs(std::string folder) : folder_(std::move(folder)), schema_(fhir::Schema::r4()) {}
  /// nullptr if it cannot be read; why() then says why.
  const fhir::Document* get(const std::string& file);
  const std::string& why() const { return why_; }
  bool has(const std::string& file) const;
  const std::shared_ptr<const fhir::Schema>& schema() const { return schema_; }

 private:
  std::string folder_;
  std::shared_ptr<const fhir::Schema> schema_;
  std::map<std::string, std::unique_ptr<fhir::Document>> documents_;
  std::string why_;
};

/// Empty if the test passes, else the reason. Everything is compiled strictly but for what is marked as lenient.
std::string runSuiteTest(const SuiteTest& test, SuiteInputs& inputs);

}  // namespace lotsen::fhirpath
