# The tutorial's events, in one file: ActionController::Live, three greetings, two seconds apart.
require 'logger'
require 'action_controller/railtie'

class Events < Rails::Application
  config.load_defaults Rails::VERSION::STRING.to_f
  config.eager_load = true
  config.secret_key_base = 'of this bench alone' * 4
  config.logger = Logger.new(File::NULL)
  routes.append { get '/events', to: 'events#index' }
end

class EventsController < ActionController::Base
  include ActionController::Live

  def index
    response.headers['Content-Type'] = 'text/event-stream'
    response.headers['Last-Modified'] = Time.now.httpdate
    sse = SSE.new(response.stream, event: 'message')
    sse.write({ message: 'Hi there' })
    sleep 2
    sse.write({ message: 'How are you?' })
    sleep 2
    sse.write({ message: 'I am fine' })
  ensure
    sse&.close
  end
end

Rails.application.initialize!
run Rails.application
