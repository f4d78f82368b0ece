# cmake -DNAME=… -DFILES=… -DOUTPUT=… -P embed_resource.cmake: writes C++ with the bytes of FILES, one after the
# other, as effuse::resources::NAME().
set(bytes "")
foreach(file IN LISTS FILES)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," hex "${hex}")
  string(APPEND bytes "${hex}\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"report/resources.hpp\"

namespace effuse::resources {
namespace {

constexpr unsigned char kBytes[] = {
${bytes}};

}  // namespace

std::string_view ${NAME}() { return {reinterpret_cast<const char*>(kBytes), sizeof kBytes}; }

}  // namespace effuse::resources
")
