# Writes OUTPUT, C++ that holds results/hashes.json and the configurations it names, below SOURCE. Run when one changes.
file(READ ${SOURCE}/results/hashes.json hashes)
string(JSON count LENGTH "${hashes}" runs)
math(EXPR last "${count} - 1")
set(names "")
foreach(i RANGE ${last})
  string(JSON name GET "${hashes}" runs ${i} configuration)
  list(APPEND names ${name})
endforeach()
list(REMOVE_DUPLICATES names)

set(code "#include \"run/embedded.h\"\n\nnamespace {\nconstexpr lockstep::run::EmbeddedFile kConfigurations[] = {\n")
foreach(name IN LISTS names)
  file(READ ${SOURCE}/configs/${name} text)
  string(APPEND code "{\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
string(APPEND code "};\nconstexpr std::string_view kHashes = R\"embedded(${hashes})embedded\";\n}  // namespace\n\n"
  "std::span<const lockstep::run::EmbeddedFile> lockstep::run::embedded_configurations() { return kConfigurations; }\n"
  "std::string_view lockstep::run::embedded_hashes() { return kHashes; }\n")
file(WRITE ${OUTPUT} "${code}")
