// getlabmaster for soapcpp2: document/literal, as HisService's WSDL has it.
//gsoap ns service name: HisService
//gsoap ns service style: document
//gsoap ns service encoding: literal
//gsoap ns service namespace: http://tempuri.org/
//gsoap ns schema namespace: http://tempuri.org/
//gsoap ns schema elementForm: qualified

struct ns__getlabmasterResponse {
    int getlabmasterResult;
    char *str;
};

//gsoap ns service method-action: getlabmaster http://tempuri.org/getlabmaster
int ns__getlabmaster(char *PatientId, char *str, struct ns__getlabmasterResponse *response);
