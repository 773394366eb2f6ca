cd /work/main
I="-Iinclude -Isrc/base -Isrc/os -Isrc/facts -Isrc/capture -Isrc/packet -Isrc/flow -Isrc/protocol -Isrc/pair -Isrc/finding -Isrc/report -Isrc/engine"
gcc -std=c11 -O2 -g $1 -DTDSCOPE_VERSION='"x"' $I -Iapp/cli src/{base,os,facts,capture,packet,flow,pair,report,engine}/*.c app/cli/*.c /tmp/stub/*.c -ljansson -o /tmp/stub/tdscope$2
