// One validation: walks a tree once, in document order, beside the Schema and the profiles that hold where it is.
// Private to gateway/validation.
//
// The profiles of an element are Places: rows of plans. They lie on a stack; an element's are the top of it, from the
// index that its functions get. What a place asks of the children becomes their places, so a message with five profiles
// is still one walk. A trial is the same walk muted, without the checks of the Schema: does this element conform? It is
// asked where one of several profiles is enough, by discriminators and by conformsTo().
#pragma once

#include "gateway/fhirpath/fhirpath.h"
#include "gateway/validation/message_kinds.h"
#include "gateway/validation/plan.h"
#include "gateway/validation/report.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace lotsen::validation {

class Walk final : public fhirpath::Host {
 public:
  Walk(const Validator& validator, const fhir::Document& document, Report& report, const Options& options);

  /// The outermost resource.
  void begin(const fhir::Element* resource);

  std::optional<bool> memberOf(std::string_view system, std::string_view code, std::string_view valueSet) override;
  std::optional<bool> conformsTo(const fhir::Element* node, std::string_view profile) override;
  std::optional<bool> inSlice(const fhir::Element* node, std::string_view profile, std::string_view slice) override;

 private:
  struct alignas(32) Place {  // a power of two: the size of the stack is asked at every element
    const Plan* plan = nullptr;
    RowId row = 0;
    std::uint32_t counts = 0;  // of a sliced run: where its counters begin in counts_
    std::uint32_t last = 0;    // of a sliced run: 1 + the number of the slice last seen
    bool open = false;         // of a sliced run: an element in no slice was seen
    const definitions::ProfileElement& element() const { return plan->row(row); }
    std::string_view url() const { return plan->profile().url(); }
  };

  /// A plan, or what it says of one element.
  struct Part {
    const Plan* plan = nullptr;
    RowId row = 0;
    friend bool operator<(const Part& one, const Part& other) {
      return one.plan != other.plan ? std::less<>()(one.plan, other.plan) : one.row < other.row;
    }
  };

  // walk.cc: `from` is where the places of `node` begin
  void resource(const fhir::Element* node, std::size_t from);
  void node(const fhir::Element* node, std::size_t from);
  void children(const fhir::Element* node, std::size_t from);
  void each(const fhir::Element* first, const fhir::Element* end);
  void missing(const fhir::Element* node, fhir::ShapeId shape);
  void run(const fhir::Element* first);
  void type(const fhir::Element* node);
  void value(const fhir::Element* node);
  void content(const fhir::Element* node);

  // profiles.cc
  void claimed(const fhir::Element* resource);
  void global(const fhir::Element* resource, std::size_t from);
  Part part(std::string_view name);
  void place(const Part& part, std::size_t from);
  void profiles(const fhir::Element* node, std::size_t from);
  void check(const fhir::Element* node, std::size_t at, std::size_t from);
  bool typesOf(const fhir::Element* node, const Place& place);
  void profilesOf(const fhir::Element* node, const Place& place, std::size_t from);
  void valueOf(const fhir::Element* node, const Place& place);
  void withoutValue(const fhir::Element* node, const Place& place);
  void vitalSigns(const fhir::Element* observation);
  void evaluate(const fhir::Element* node, const Place& place);
  void rulesOf(const fhir::Element* node, const Place& place);
  void lacking(const fhir::Element* node, const Place& place);
  void ownValue(const fhir::Element* node, const Place& place, RowId row);
  void cardinality(const fhir::Element* first, const Place& place);
  const Plan* plan(std::string_view canonical);
  bool conforms(const fhir::Element* node, const Part& part, std::string* why = nullptr);

  // slices.cc
  void profiledRun(const fhir::Element* first, const fhir::Element* end, std::size_t candidates);
  void select(const fhir::Element* node, std::size_t candidate, RowId sliced);
  void countSlices(const fhir::Element* first, const Place& place, RowId sliced);
  bool isIn(const fhir::Element* node, const PlanSlice& slice);
  static std::string sliceText(const std::string& element, const Plan& plan, RowId slice);
  bool holds(const fhir::Element* node, const Condition& condition);
  void follow(const fhir::Element* node, const Path& path, std::size_t step, std::vector<const fhir::Element*>& out);

  // extensions.cc
  void extension(const fhir::Element* node, std::size_t from);
  bool mayStandAt(const fhir::Element* extension, const Plan& plan);
  bool isFound(const PlanRule& context, const fhir::Element* holder);
  bool isAt(const fhir::Element* node, std::string_view path) const;

  // invariants.cc
  bool afford(std::uint64_t steps);
  Result<bool> test(const fhirpath::Program& rule, const fhir::Element* node);
  void enter(const fhir::Element* resource);
  void invariants(const fhir::Element* node);
  void check(const fhir::Element* node, fhir::DefId def);

  // bindings.cc
  void binding(const fhir::Element* node);
  void bindingOf(const fhir::Element* node, const Place& place);
  void notIn(const fhir::Element* node, std::string_view valueSet, fhir::Strength strength, std::string_view profile);
  fhir::Schema::Membership coded(const fhir::Element* node, std::string_view valueSet) const;
  fhir::Schema::Membership coding(const fhir::Element* node, std::string_view valueSet) const;
  void knownCode(const fhir::Element* coding);

  // datatypes.cc
  void uri(const fhir::Element* node);
  void attachment(const fhir::Element* node);
  void links(const fhir::Element* narrative);

  // conformance.cc
  void conformance(const fhir::Element* resource);
  void valueSet(const fhir::Element* resource);
  void codeSystem(const fhir::Element* resource);
  void structureDefinition(const fhir::Element* resource);

  // bundles.cc
  void bundle(const fhir::Element* node);
  void mustBeHere(const fhir::Element* root);
  void isHere(const fhir::Element* node);
  void fullUrl(const fhir::Element* entry, const fhir::Element* resource, std::string_view url);
  void contained(const fhir::Element* node);
  template <typename Visit>
  void eachBelow(const fhir::Element* root, const Visit& visit);

  // questionnaires.cc
  void questionnaireResponse(const fhir::Element* response);

  // messages.cc
  void message(const fhir::Element* header);
  void focus(const fhir::Element* header, const MessageKind& kind);

  // references.cc
  void reference(const fhir::Element* node);
  void referenceOf(const fhir::Element* node, const Place& place);
  void aggregated(const fhir::Element* node, const Place& place, std::string_view text, const fhir::Element* resource,
                  unsigned aggregation);
  bool isTarget(const fhir::Element* resource, fhir::TypeId type, std::string_view canonical, std::string& why);
  std::string otherTargets(const fhir::Element* node, fhir::TypeId target) const;
  bool isWellFormed(std::string_view reference) const;
  const fhir::Element* named(std::string_view reference) const;
  fhir::TypeId targetOf(const fhir::Element* node, std::string_view reference);
  const fhir::Element* target(const fhir::Element* node, std::string_view reference);
  const fhir::Element* containedIn(const fhir::Element* container, std::string_view id);

  std::string name(const fhir::Element* node) const { return std::string(document_.nameText(node->name)); }
  std::string typeName(fhir::TypeId type) const { return std::string(schema_.nameText(schema_.type(type).name)); }

  const Validator& validator_;
  const fhir::Document& document_;
  const fhir::Schema& schema_;
  const Validator::Names& names_;
  Report& report_;
  const Options& options_;
  fhirpath::Evaluator evaluator_;
  std::unordered_map<std::string_view, const fhir::Element*> byUrl_;  // fullUrl of the entries, Bundle by Bundle
  std::vector<Place> places_;
  std::vector<std::uint32_t> counts_;
  std::unordered_map<std::string_view, const Plan*> found_;  // canonicals that this document has asked for
  std::unordered_set<std::string_view> anchors_;             // of anchorsOf_: what links may lead to
  const fhir::Element* anchorsOf_ = nullptr;
  std::unordered_map<std::string_view, const fhir::Element*> containedById_;  // of containedOf_
  const fhir::Element* containedOf_ = nullptr;
  using Context = std::pair<const PlanRule*, const fhir::Element*>;      // asked of a resource
  std::map<Context, std::unordered_set<const fhir::Element*>> holders_;  // where they let extensions stand
  std::uint64_t spent_ = 0;                                              // of Options::mostSteps
  std::map<std::pair<const fhir::Element*, Part>, bool> tried_;
};

}  // namespace lotsen::validation
