# Every library trivet needs, each with the Debian package to install when it is missing.
find_package(PkgConfig QUIET)
if(NOT PkgConfig_FOUND)
  message(FATAL_ERROR "pkg-config is missing: apt-get install pkg-config")
endif()

function(trivet_need target module package)
  pkg_check_modules(${target} QUIET IMPORTED_TARGET ${module})
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR "${module} is missing: apt-get install ${package}")
  endif()
endfunction()

trivet_need(PQ libpq libpq-dev)
trivet_need(MONGOC libmongoc-1.0 libmongoc-dev)
trivet_need(HIREDIS hiredis libhiredis-dev)
trivet_need(MSGPACK msgpack libmsgpack-dev)
trivet_need(LZ4 liblz4 liblz4-dev)
trivet_need(NETTLE nettle nettle-dev)
trivet_need(LAPACKE lapacke liblapacke-dev)
trivet_need(OPENBLAS openblas libopenblas-openmp-dev)
trivet_need(MICROHTTPD libmicrohttpd libmicrohttpd-dev)
trivet_need(JANSSON jansson libjansson-dev)
trivet_need(ARCHIVE libarchive libarchive-dev)
trivet_need(ZLIB zlib zlib1g-dev)
trivet_need(CURL libcurl libcurl4-openssl-dev)

# libcsv has no pkg-config file.
find_path(CSV_INCLUDE csv.h)
find_library(CSV_LIBRARY csv)
if(NOT CSV_INCLUDE OR NOT CSV_LIBRARY)
  message(FATAL_ERROR "libcsv is missing: apt-get install libcsv-dev")
endif()

# Nor has libunistring.
find_path(UNISTRING_INCLUDE unistr.h)
find_library(UNISTRING_LIBRARY unistring)
if(NOT UNISTRING_INCLUDE OR NOT UNISTRING_LIBRARY)
  message(FATAL_ERROR "libunistring is missing: apt-get install libunistring-dev")
endif()

# Chart.js travels inside trivet-serve, for its pages /lab and /models.
find_file(CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH)
if(NOT CHART_JS)
  message(FATAL_ERROR "Chart.js is missing: apt-get install libjs-chart.js (or configure with -DCHART_JS=.../chart.min.js)")
endif()

find_package(OpenMP QUIET)
if(NOT OpenMP_C_FOUND)
  message(FATAL_ERROR "OpenMP is missing: apt-get install gcc (or libomp-dev for clang)")
endif()
find_package(Threads REQUIRED)

if(TRIVET_TESTS)
  pkg_check_modules(CMOCKA QUIET IMPORTED_TARGET cmocka)
  if(NOT CMOCKA_FOUND)
    message(FATAL_ERROR "cmocka is missing: apt-get install libcmocka-dev (or configure with -DTRIVET_TESTS=OFF)")
  endif()
endif()
