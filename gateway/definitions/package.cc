#include "gateway/definitions/package.h"

#include "gateway/base/text.h"
#include "gateway/fhir/forms.h"
#include "gateway/json/reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <vector>

namespace lotsen::definitions {

namespace {

namespace fs = std::filesystem;
using Visit = std::function<void(const std::string& name, const std::string& bytes)>;

constexpr std::size_t kBlock = 512;  // tar works in blocks

Error broken(const std::string& path, const std::string& what) {
  return fail(Code::Invalid, path + ": " + what);
}

/// The octal number in a tar header field, or -1.
std::int64_t octal(std::string_view field) {
  std::int64_t value = 0;
  bool any = false;
  for (const char c : field) {
    if (c == '\0' || c == ' ') {
      if (any) break;
      continue;
    }
    if (c < '0' || c > '7') return -1;
    value = value * 8 + (c - '0');
    any = true;
  }
  return any ? value : -1;
}

std::string_view field(const std::array<char, kBlock>& header, std::size_t at, std::size_t size) {
  const std::string_view whole(header.data() + at, size);
  return whole.substr(0, whole.find('\0'));
}

bool isWanted(std::string_view name) {
  return name.ends_with(".json") || name.ends_with(".xml");
}

class TarGz {
 public:
  explicit TarGz(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb"), &gzclose) {}

  Status forEach(const Visit& visit) {
    if (!file_) return fail(Code::NotFound, path_ + ": cannot be opened");
    std::array<char, kBlock> header{};
    std::size_t total = 0;
    while (read(header.data(), kBlock)) {
      if (std::all_of(header.begin(), header.end(), [](char c) { return c == 0; })) return done();  // end of archive
      const std::int64_t size = octal({header.data() + 124, 12});
      if (size < 0 || static_cast<std::size_t>(size) > kLargestFile)
        return broken(path_, "not a tar archive, or a file in it is too large");
      total += static_cast<std::size_t>(size);
      if (total > kLargestPackage) return broken(path_, "unpacks to more than a package may hold");
      std::string bytes(static_cast<std::size_t>(size), '\0');
      std::array<char, kBlock> padding{};
      if (!read(bytes.data(), bytes.size()) || !read(padding.data(), (kBlock - bytes.size() % kBlock) % kBlock)) {
        return broken(path_, "the archive is cut off");
      }
      const std::string name(field(header, 0, 100));
      const bool regular = header[156] == '0' || header[156] == '\0';
      const bool beside = std::count(name.begin(), name.end(), '/') <= 1;  // package/NAME, beside package.json
      if (regular && beside && isWanted(name)) visit(path_ + "/" + name, bytes);
    }
    return broken(path_, "the archive is cut off or not a gzip file");
  }

 private:
  bool read(char* to, std::size_t size) {
    return size == 0 || gzread(file_.get(), to, static_cast<unsigned>(size)) == static_cast<int>(size);
  }

  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

/// "name", "version" and the members of "dependencies".
class ManifestReader final : public json::Handler {
 public:
  bool null(std::size_t) override { return true; }
  bool boolean(bool, std::size_t) override { return true; }
  bool number(std::string_view, std::size_t) override { return true; }
  bool key(std::string_view name, std::size_t) override {
    (depth_ == 1 ? member_ : inner_) = name;
    return true;
  }
  bool string(std::string_view value, std::size_t) override {
    if (depth_ == 1 && member_ == "name") manifest.name = value;
    if (depth_ == 1 && member_ == "version") manifest.version = value;
    if (depth_ == 2 && member_ == "dependencies") manifest.dependencies.emplace_back(inner_, value);
    return true;
  }
  bool startObject(std::size_t) override { return ++depth_ > 0; }
  bool endObject(std::size_t) override { return depth_-- > 0; }
  bool startArray(std::size_t) override { return ++depth_ > 0; }
  bool endArray(std::size_t) override { return depth_-- > 0; }

  Manifest manifest;

 private:
  int depth_ = 0;
  std::string member_, inner_;
};

Status visitFile(const std::string& path, const Visit& visit) {
  std::string bytes;
  if (!readFile(path, bytes)) return fail(Code::NotFound, path + ": cannot be read");
  visit(path, bytes);
  return done();
}

}  // namespace

Status forEachFile(const std::string& path, const Visit& visit) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<std::string> files;
    const bool package = fs::exists(fs::path(path) / "package.json", error);
    for (auto at = fs::recursive_directory_iterator(path, error); !error && at != fs::recursive_directory_iterator();
         at.increment(error)) {
      const bool inPackage = package || fs::exists(at->path().parent_path() / "package.json", error);
      if (inPackage && at->is_directory(error)) at.disable_recursion_pending();
      if (isWanted(at->path().string()) && at->is_regular_file(error)) files.push_back(at->path().string());
    }
    if (error) return fail(Code::NotFound, path + ": cannot be listed");
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) LOTSEN_TRY_DO(visitFile(file, visit));
    return done();
  }
  if (path.ends_with(".tgz") || path.ends_with(".tar.gz")) return TarGz(path).forEach(visit);
  return visitFile(path, visit);
}

std::optional<Manifest> readManifest(const std::string& file, const std::string& bytes) {
  ManifestReader reader;
  std::string scratch(json::scratchSize(bytes.size()), '\0');
  if (json::parse(bytes, scratch.data(), {16, kLargestFile}, reader)) return {};
  reader.manifest.file = file;
  return std::move(reader.manifest);
}

std::string_view peekType(std::string_view name, std::string_view bytes) {
  if (!name.ends_with(".xml")) return fhir::peekResourceType(bytes);
  for (auto at = bytes.find('<'); at != std::string_view::npos; at = bytes.find('<', at + 1)) {
    const std::string_view rest = bytes.substr(at + 1);
    if (rest.starts_with("?") || rest.starts_with("!")) continue;
    const std::string_view tag = rest.substr(0, rest.find_first_of(" \t\r\n/>"));
    return tag.substr(tag.find(':') + 1);
  }
  return {};
}

}  // namespace lotsen::definitions
