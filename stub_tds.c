#include "tds.h"
static void d(void*c,struct stream*s,enum side e,struct span b,const struct moment*a){(void)c;(void)s;(void)e;(void)b;(void)a;}
static void g(void*c,struct stream*s,enum side e,uint64_t b,const struct moment*a){(void)c;(void)s;(void)e;(void)b;(void)a;}
static void n(void*c,struct stream*s,enum side e,const struct moment*a){(void)c;(void)s;(void)e;(void)a;}
static void x(void*c,struct stream*s){(void)c;(void)s;}
struct stream_consumer tds_consumer(const struct tds_options*o){(void)o;return (struct stream_consumer){d,g,n,x,x,NULL};}
