/* gSOAP's C server: its standalone accept loop, a thread for each kept connection.
   server PORT */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "HisService.nsmap"
#include "soapH.h"

#define ROWS 5
#define FIELDS 17

/* What a record of bench/hospital.py says, as a C program would keep it. */
static const char *const record[FIELDS] = {
    NULL, "张伟", "城镇职工基本医疗保险", "男", "45", "查体", "高血压病 2 级", "静脉血", NULL,
    "心血管内科", NULL, NULL, "王建国", "检验科", NULL, "李敏", "赵静"};

int ns__getlabmaster(struct soap *soap, char *PatientId, char *str,
                     struct ns__getlabmasterResponse *response) {
    size_t room = 4096, used = 0;
    char *text = soap_malloc(soap, room);
    (void)str;
    if (PatientId == NULL || *PatientId == '\0')
        return soap_sender_fault(soap, "PatientId is empty", NULL);
    for (int row = 0; row < ROWS; row++)
        for (int field = 0; field < FIELDS; field++) {
            char made[32];
            const char *value = record[field];
            if (field == 0) snprintf(made, sizeof made, "261120%04d", row), value = made;
            if (field == 8) value = row % 2 ? "" : "空腹";
            if (field == 10 || field == 11) {
                int hour = (field == 10 ? 8 : 14) - row;
                snprintf(made, sizeof made, "2026-11-20 %02d:30:00", hour), value = made;
            }
            if (field == 14) snprintf(made, sizeof made, "A%02d", row), value = made;
            used += (size_t)snprintf(text + used, room - used, "%s%c", value,
                                     field == FIELDS - 1 ? '?' : '|');
        }
    response->getlabmasterResult = ROWS;
    response->str = text;
    return SOAP_OK;
}

static void *connection(void *argument) {
    struct soap *soap = argument;
    pthread_detach(pthread_self());
    soap_serve(soap);
    soap_destroy(soap);
    soap_end(soap);
    soap_done(soap);
    soap_free(soap);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "server PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct soap *soap = soap_new1(SOAP_IO_KEEPALIVE | SOAP_C_UTFSTRING);
    soap->bind_flags = SO_REUSEADDR;
    soap->max_keep_alive = 1000000000;
    soap->recv_timeout = 60;
    soap->send_timeout = 60;
    if (!soap_valid_socket(soap_bind(soap, "127.0.0.1", atoi(arguments[1]), 1024))) {
        soap_print_fault(soap, stderr);
        return 1;
    }
    for (;;) {
        pthread_t thread;
        if (!soap_valid_socket(soap_accept(soap))) {
            soap_print_fault(soap, stderr);
            return 1;
        }
        struct soap *copy = soap_copy(soap);
        if (copy == NULL || pthread_create(&thread, NULL, connection, copy) != 0)
            soap_force_closesock(soap);
    }
}
