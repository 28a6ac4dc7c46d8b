#include "gateway/letter/files.h"

#include "gateway/base/text.h"
#include "gateway/fhir/forms.h"

#include <algorithm>
#include <filesystem>

namespace lotsen::letter {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPrintFolder = "print";
constexpr const char* kDefaultProfile = "c5-h2.profile";

Result<std::string> contentOf(const std::string& path) {
  std::string text;
  if (!readFile(path, text))
    return fail(Code::NotFound, "cannot read " + path + "; check the name and the permissions");
  return text;
}

/// The files of a folder with that ending, sorted by name; none if there is no such folder.
std::vector<fs::path> filesIn(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ending && at->path().filename() != "README.md") files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<Template> loadTemplate(const std::string& path, const std::shared_ptr<const fhir::Schema>& schema,
                              fhir::Issues& issues) {
  LOTSEN_TRY(const std::string text, contentOf(path));
  return Template::parse(text, fs::path(path).filename().string(), schema, issues);
}

Result<PrintProfile> loadProfile(const std::string& path, fhir::Issues& issues) {
  LOTSEN_TRY(const std::string text, contentOf(path));
  LOTSEN_TRY(PrintProfile profile, parseProfile(text, fs::path(path).filename().string(), issues));
  profile.file = fs::path(path).stem().string();
  return profile;
}

const Template* Library::find(std::string_view id, std::string_view language) const {
  for (const Template& letter : templates) {
    if (letter.id() == id && letter.source().language == language) return &letter;
  }
  return nullptr;
}

const PrintProfile* Library::profile(std::string_view name) const {
  for (const PrintProfile& candidate : profiles) {
    if (candidate.file == name) return &candidate;
  }
  return nullptr;
}

Result<Library> loadLibrary(const std::string& folder, const std::shared_ptr<const fhir::Schema>& schema,
                            fhir::Issues& issues) {
  Library library;
  bool good = true;
  for (const fs::path& path : filesIn(folder, ".md")) {
    auto letter = loadTemplate(path.string(), schema, issues);
    if (!letter.ok() && letter.error().code != Code::Invalid) return letter.error();
    good = good && letter.ok();
    if (!letter.ok()) continue;
    if (library.find(letter->id(), letter->source().language) != nullptr) {
      return fail(Code::Invalid, "two templates in " + folder + " have the id '" + letter->id() +
                                     "' and the same language; rename one");
    }
    library.templates.push_back(std::move(letter).value());
  }
  for (const fs::path& path : filesIn(fs::path(folder) / kPrintFolder, ".profile")) {
    auto profile = loadProfile(path.string(), issues);
    if (!profile.ok() && profile.error().code != Code::Invalid) return profile.error();
    good = good && profile.ok();
    if (profile.ok()) library.profiles.push_back(std::move(profile).value());
  }
  if (!good) return fail(Code::Invalid, "the templates in " + folder + " have faults; none is used");
  if (library.templates.empty()) return fail(Code::NotFound, "there are no templates in " + folder);
  return library;
}

Result<Rendered> renderFiles(const LetterFiles& files, Format format, Instant now,
                             const std::shared_ptr<const fhir::Schema>& schema, fhir::Issues& issues) {
  LOTSEN_TRY(const Template letter, loadTemplate(files.templatePath, schema, issues));
  LOTSEN_TRY(const std::string data, contentOf(files.dataPath));
  LOTSEN_TRY(const fhir::Document source, fhir::readJson(data, schema, {}, issues));
  RenderOptions options;
  options.now = now;
  if (format != Format::Pdf) return render(letter, source, format, options, issues);
  const auto folder = fs::path(files.templatePath).parent_path();
  LOTSEN_TRY(const PrintProfile profile, loadProfile((folder / kPrintFolder / kDefaultProfile).string(), issues));
  LOTSEN_TRY(const auto fonts, Fonts::open(files.fontDirectories));
  options.profile = &profile;
  options.fonts = fonts.get();
  return render(letter, source, format, options, issues);
}

}  // namespace lotsen::letter
